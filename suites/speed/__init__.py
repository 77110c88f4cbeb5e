"""How fast a server answers: workloads as tests."""
