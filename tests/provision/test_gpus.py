"""NVML is a library of the NVIDIA driver; where there is none, an object stands in for it at its one seam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_llmbench.model.endpoint import Gpu
from pytest_llmbench.provision.gpus import gpus_of

GIB = 2**30
A100, H100, T4 = (("A100", 80), ("H100", 80), ("T4", 16))


class Nvml:
    """What of `pynvml` is used, with GPUs that a test names; counts that each start has its end."""

    class NVMLError(Exception):
        """What all its functions raise."""

    def __init__(self, *gpus: tuple[str, int], fails: str = "", parts: Mapping[str, str] | None = None) -> None:
        self._gpus = gpus
        self._fails = fails
        self._parts = parts or {}
        self.open = 0

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("nvml") and name == object.__getattribute__(self, "_fails"):
            return self._fail
        return object.__getattribute__(self, name)

    def _fail(self, *_: object) -> None:
        raise self.NVMLError("Driver Not Loaded")

    def nvmlInit(self) -> None:  # noqa: N802 - NVIDIA's names
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open -= 1

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "550.54"

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self._gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        if uuid not in self._parts:
            self._fail()
        return uuid

    def nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802
        return f"GPU-{handle}{handle}-x"

    def nvmlDeviceGetName(self, handle: int | str) -> str:  # noqa: N802
        return self._parts[handle] if isinstance(handle, str) else self._gpus[handle][0]

    def nvmlDeviceGetMemoryInfo(self, handle: int | str) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(total=(10 if isinstance(handle, str) else self._gpus[handle][1]) * GIB)


def named(nvml: Nvml, **env: str) -> list[str] | None:
    found = gpus_of(env, nvml)
    assert nvml.open == 0
    return None if found is None else [gpu.name for gpu in found]


def test_all_that_is_known_of_a_gpu() -> None:
    assert gpus_of({}, Nvml(H100, H100)) == (Gpu("H100", 80 * GIB, "550.54"),) * 2


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        ("1", ["A100"]),
        ("1,0", ["A100", "H100"]),
        (" 2 , 0 ", ["T4", "H100"]),
        ("GPU-22-x,GPU-1", ["T4", "A100"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("0,7,1", ["H100"]),
        ("GPU-", []),
    ],
)
def test_cuda_sees_what_its_variable_names_up_to_the_first_that_is_not_there(visible: str, seen: Sequence[str]) -> None:
    nvml = Nvml(H100, A100, T4)
    assert named(nvml, CUDA_VISIBLE_DEVICES=visible, CUDA_DEVICE_ORDER="PCI_BUS_ID") == seen


def test_numbers_say_nothing_where_cuda_counts_in_its_own_order() -> None:
    assert named(Nvml(A100, H100), CUDA_VISIBLE_DEVICES="0") is None
    assert named(Nvml(A100, H100), CUDA_VISIBLE_DEVICES="GPU-11-x") == ["H100"]
    assert named(Nvml(H100, H100), CUDA_VISIBLE_DEVICES="1") == ["H100"], "whichever it is"


def test_parts_of_a_gpu() -> None:
    nvml = Nvml(A100, parts={"MIG-7": "A100 MIG 1g.10gb"})
    assert gpus_of({"CUDA_VISIBLE_DEVICES": "MIG-7"}, nvml) == (Gpu("A100 MIG 1g.10gb", 10 * GIB, "550.54"),)
    assert named(nvml, CUDA_VISIBLE_DEVICES="MIG-8") is None


@pytest.mark.parametrize("fails", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetMemoryInfo"])
def test_without_a_driver_that_answers_nothing_is_known(fails: str) -> None:
    nvml = Nvml(H100, fails=fails)
    assert gpus_of({}, nvml) is None
    assert nvml.open == 0


def test_the_stand_in_has_no_function_that_the_library_has_not() -> None:
    import pynvml  # type: ignore[import-untyped] # noqa: PLC0415

    names = [name for name in vars(Nvml) if name.startswith(("nvml", "NVML"))]
    assert "nvmlDeviceGetName" in names
    assert all(callable(getattr(pynvml, name)) for name in names)


def test_the_real_library_answers_or_knows_nothing() -> None:
    found = gpus_of({})
    assert found is None or all(gpu.name and gpu.driver for gpu in found)
