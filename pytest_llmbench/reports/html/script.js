"use strict";
// Shows what models wrote, so one rule holds throughout: text becomes text nodes, never markup, links or styles.
(() => {
  const PAGE_ROWS = 200;
  const FIRST_LINES = 300;
  const MORE_LINES = 3000;
  const LINE_CHARS = 2000;
  const MORE_CHARS = 20000;

  const byId = (id) => document.getElementById(id);
  const index = JSON.parse(byId("index").textContent);
  const hidden = new RegExp(
    "[" + index.invisible.map(([first, last]) => `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`).join("") +
    "]|\\r(?!\\n)", "gu");

  const endpointOf = (row) => index.endpoints[index.answers[row[0]][0]];
  const suiteOf = (row) => index.suites[index.answers[row[0]][1]];
  const sampleOf = (row) => index.answers[row[0]][2];
  const checkOf = (row) => index.checks[row[1]][1];
  const outcomeOf = (row) => index.outcomes[row[2]][0];
  const linkOf = (row) =>
    "#check/" + [endpointOf(row), suiteOf(row).name, checkOf(row), String(sampleOf(row))].map(encodeURIComponent).join("/");

  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  // Texts

  function addVisible(parent, text) {
    let done = 0;
    for (const found of text.matchAll(hidden)) {
      const code = found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
      parent.append(text.slice(done, found.index), make("span", { class: "control" }, `⟨U+${code}⟩`));
      done = found.index + found[0].length;
    }
    parent.append(text.slice(done));
  }

  // Where to cut so that no letter is cut in two.
  const endAt = (text, place) => place + Number(/[\ud800-\udbff]/.test(text[place - 1] || ""));

  function addLine(parent, line) {
    let shown = endAt(line, LINE_CHARS);
    addVisible(parent, line.slice(0, shown));
    if (line.length <= shown) return;
    const more = make("button", { type: "button", class: "inline more" });
    const label = () => { more.textContent = `… ${(line.length - shown).toLocaleString("en")} more characters in this line`; };
    more.addEventListener("click", () => {
      const rest = document.createDocumentFragment();
      const end = endAt(line, shown + MORE_CHARS);
      addVisible(rest, line.slice(shown, end));
      more.before(rest);
      shown = end;
      if (shown >= line.length) more.remove(); else label();
    });
    label();
    parent.append(more);
  }

  const DIFF_CLASSES = { "+": "added", "-": "removed", "@": "hunk", "\\": "hunk" };

  // A removed line may begin with `-- `; only the first two name the files.
  const isName = (line, place) => place < 2 && /^(---|\+\+\+) /.test(line);

  function addLines(parent, all, first, end, isDiff) {
    for (let place = first; place < Math.min(end, all.length); place += 1) {
      const line = all[place];
      const kind = isDiff ? (isName(line, place) ? "file" : DIFF_CLASSES[line[0]]) : undefined;
      const own = make("span", { class: kind ? `line ${kind}` : "line" });
      addLine(own, line);
      own.append("\n");
      parent.append(own);
    }
  }

  function textBlock(text, isDiff) {
    const lines = text.replace(/\n$/, "").split("\n");
    const block = make("pre", { class: isDiff ? "diff" : "text", tabindex: "0", dir: "ltr" });
    addLines(block, lines, 0, FIRST_LINES, isDiff);
    let shown = FIRST_LINES;
    if (lines.length <= shown) return [block];
    const more = make("button", { type: "button", class: "more" });
    const label = () => { more.textContent = `Show more: ${(lines.length - shown).toLocaleString("en")} lines`; };
    more.addEventListener("click", () => {
      addLines(block, lines, shown, shown + MORE_LINES, isDiff);
      shown += MORE_LINES;
      if (shown >= lines.length) more.remove(); else label();
    });
    label();
    return [block, more];
  }

  // A text that was cut is a list: beginning, characters left out, end, path of the whole.
  function shownText(text, isDiff = false) {
    if (typeof text === "string") return text === "" ? [make("p", { class: "fine" }, "empty")] : textBlock(text, isDiff);
    const [head, left, tail, path] = text;
    const note = make("p", { class: "notice" }, `${left.toLocaleString("en")} characters are left out here; the whole is in `, make("code", {}, path));
    return [...(head ? textBlock(head, isDiff) : []), note, ...(tail ? textBlock(tail, isDiff) : [])];
  }

  const unpacked = new Map();

  function unpack(number) {
    if (!unpacked.has(number)) unpacked.set(number, inflate(byId(`block-${number}`).textContent));
    return unpacked.get(number);
  }

  async function inflate(base64) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  // The list

  const fields = ["endpoint", "suite", "outcome", "text", "deep"].map((name) => [name, byId(`filter-${name}`)]);
  const valueOf = (field) => field.type === "checkbox" ? (field.checked ? "yes" : "") : field.value;
  const wantedOf = () => Object.fromEntries(fields.map(([name, field]) => [name, valueOf(field)]));
  const searched = index.rows.map((row) =>
    [endpointOf(row), suiteOf(row).name, suiteOf(row).title || "", checkOf(row), outcomeOf(row), row[4]].join("\n").toLowerCase());

  // What a block of runs has of one check; of the logs, pairs of paths: what was printed, what was observed.
  function runOf(row, runs) {
    const [evidence, logs, nodeid, sandbox] = runs.said[checkOf(row)] || [null, [], "", ""];
    return { evidence, logs, nodeid, sandbox };
  }

  const NOT_PASSED = "not passed";
  let listed = [];
  let drawn = 0;

  function fillSelects() {
    const choices = {
      endpoint: index.endpoints,
      suite: index.suites.map((suite) => suite.name),
      outcome: [NOT_PASSED, ...index.outcomes.map(([name]) => name)],
    };
    for (const [name, values] of Object.entries(choices)) {
      byId(`filter-${name}`).append(make("option", { value: "" }, "all"), ...values.map((value) => make("option", { value }, value)));
    }
  }

  // For each row what its page has of the answer and of the check, once somebody searches there.
  let deepTexts = null;
  let isReading = false;

  function* strings(value) {
    if (typeof value === "string") yield value;
    else if (value !== null && typeof value === "object") for (const part of Object.values(value)) yield* strings(part);
  }

  async function readAll() {
    if (isReading) return;
    isReading = true;
    const joined = (value) => [...strings(value)].join("\n").toLowerCase();
    const answers = [];
    try {
      for (const answer of index.answers) {
        const [said, runs] = await Promise.all([answer[3], answer[4]].map((number) => inflate(byId(`block-${number}`).textContent)));
        answers.push([joined(said), runs]);
        if (answers.length % 20 === 0) byId("found").textContent = `reading answer ${answers.length} of ${index.answers.length}`;
      }
      deepTexts = index.rows.map((row) => {
        const [said, runs] = answers[row[0]];
        const { evidence, logs } = runOf(row, runs);
        return [said, joined([evidence, logs.flat().map((path) => runs.texts[path])])];
      });
    } catch (error) {
      tell(`This browser cannot unpack the texts (${error}); it takes one of 2023 or later.`);
      byId("filter-deep").checked = false;
    }
    isReading = false;
    list();
  }

  function isWanted(row, place, wanted, words) {
    return (!wanted.endpoint || endpointOf(row) === wanted.endpoint) &&
      (!wanted.suite || suiteOf(row).name === wanted.suite) &&
      (!wanted.outcome || (wanted.outcome === NOT_PASSED ? outcomeOf(row) !== "passed" : outcomeOf(row) === wanted.outcome)) &&
      words.every((word) => searched[place].includes(word) || (wanted.deep && deepTexts[place].some((text) => text.includes(word))));
  }

  function drawMore() {
    const rows = listed.slice(drawn, drawn + PAGE_ROWS).map((row) => {
      const [name, sign] = index.outcomes[row[2]];
      return make("li", {}, make("a", { href: linkOf(row), class: "row" },
        make("span", { class: `outcome ${name}` }, make("span", { "aria-hidden": "true" }, sign), ` ${name}`),
        make("span", { class: "what" }, `${suiteOf(row).name} ${checkOf(row)}`),
        make("span", { class: "who" }, `${endpointOf(row)}, sample ${sampleOf(row)}`),
        make("span", { class: "evidence" }, row[4])));
    });
    byId("rows").append(...rows);
    drawn += rows.length;
    const left = listed.length - drawn;
    byId("more").hidden = left <= 0;
    byId("more").textContent = `Show more: ${left.toLocaleString("en")} checks`;
  }

  function list() {
    const wanted = wantedOf();
    const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.deep && !deepTexts) { readAll(); return; }
    listed = index.rows.filter((row, place) => isWanted(row, place, wanted, words));
    drawn = 0;
    byId("rows").replaceChildren();
    byId("found").textContent = listed.length === index.rows.length
      ? `${listed.length.toLocaleString("en")} checks`
      : `${listed.length.toLocaleString("en")} of ${index.rows.length.toLocaleString("en")} checks`;
    drawMore();
  }

  function remember() {
    const set = Object.entries(wantedOf()).filter(([, value]) => value);
    const hash = set.length ? `#checks?${new URLSearchParams(set)}` : "#checks";
    history.replaceState(null, "", hash);
    overviewHash = hash;
  }

  function filterFrom(query) {
    const wanted = new URLSearchParams(query);
    const before = JSON.stringify(wantedOf());
    for (const [name, field] of fields) {
      if (field.type === "checkbox") field.checked = wanted.get(name) === "yes"; else field.value = wanted.get(name) || "";
    }
    // The same list stays as it was drawn: who comes back to it looks for the place where he was.
    if (JSON.stringify(wantedOf()) !== before) list();
  }

  // One check

  function section(title, isOpen, ...children) {
    const details = make("details", isOpen ? { open: "" } : {}, make("summary", {}, make("h3", {}, title)));
    details.append(...children);
    return details;
  }

  // Made when it is opened for the first time: nobody reads all of them, and long ones take time.
  function textSection(title, text, { isOpen = false, isDiff = false, missing = "not at hand when this report was made" } = {}) {
    if (text === null || text === undefined) return section(title, false, make("p", { class: "fine" }, missing));
    const details = section(title, isOpen);
    let isMade = false;
    const fill = () => { if (!isMade) details.append(...shownText(text, isDiff)); isMade = true; };
    details.addEventListener("toggle", () => { if (details.open) fill(); });
    details.addEventListener("fill", fill);
    if (isOpen) fill();
    return details;
  }

  function jumps(row) {
    const same = index.rows.filter((other) => other[1] === row[1]);
    const groups = index.endpoints.map((name, place) => [name, same.filter((other) => index.answers[other[0]][0] === place)]);
    const links = (rows) => rows.map((other) => {
      const [outcome, sign] = index.outcomes[other[2]];
      const attributes = { href: linkOf(other), class: `outcome ${outcome}`, "aria-label": `${endpointOf(other)}, sample ${sampleOf(other)}: ${outcome}` };
      if (other === row) attributes["aria-current"] = "page";
      return make("a", attributes, sign);
    });
    const lines = groups.filter(([, rows]) => rows.length).map(([name, rows]) =>
      make("li", {}, make("span", { class: "who" }, name), " ", ...links(rows).flatMap((link) => [link, " "])));
    return section("The same check elsewhere", false, make("ul", { class: "elsewhere" }, ...lines));
  }

  function neighbours(row) {
    const among = listed.includes(row) ? listed : index.rows;
    const place = among.indexOf(row);
    const links = [["previous", among[place - 1], "p"], ["next", among[place + 1], "n"]];
    const made = links.filter(([, other]) => other).map(([name, other, key]) =>
      make("a", { href: linkOf(other), rel: name === "next" ? "next" : "prev", id: `go-${name}`, "aria-keyshortcuts": key }, name));
    const back = make("a", { href: backTo, id: "go-back", "aria-keyshortcuts": "u" }, "back to the list");
    return make("p", { class: "neighbours" }, back, ...made.flatMap((link) => [" · ", link]), ` · ${place + 1} of ${among.length}`);
  }

  function figures(answer) {
    const list = make("dl", { class: "figures" });
    index.figures.forEach((name, place) => {
      if (answer[5][place] !== null) list.append(make("div", {}, make("dt", {}, name), make("dd", {}, String(answer[5][place]))));
    });
    return list;
  }

  let backTo = "#checks";
  let showing = 0;

  // The check that was shown last, and where the reader was when he left the overview for it.
  let shown = "";
  let overviewHash = "";
  let left = { hash: null, top: 0, from: null };

  function comeBack(hash, target) {
    const row = hash.startsWith("#checks") && [...byId("rows").querySelectorAll("a")].find((link) => link.getAttribute("href") === shown);
    if (row) {
      row.scrollIntoView({ block: "center", behavior: "instant" });
      row.focus({ preventScroll: true });
    } else if (hash === left.hash) {
      scrollTo({ top: left.top, behavior: "instant" });
      left.from.focus({ preventScroll: true });
    } else if (target) {
      target.scrollIntoView({ behavior: "instant" });
    }
  }

  async function show(row) {
    const mine = ++showing;
    const answer = index.answers[row[0]];
    const suite = suiteOf(row);
    const [outcome, sign] = index.outcomes[row[2]];
    const article = byId("detail");
    const top = [
      neighbours(row),
      make("h2", { id: "detail-title" }, `${suite.name} ${checkOf(row)}`),
      make("p", {}, make("span", { class: `outcome ${outcome}` }, make("span", { "aria-hidden": "true" }, sign), ` ${outcome}`),
        ` ${endpointOf(row)}, sample ${sampleOf(row)}`,
        suite.title ? `: ${suite.title} (${suite.difficulty})` : "",
        index.checks[row[1]][2] ? make("b", { class: "tag" }, "must pass") : ""),
      figures(answer),
      jumps(row),
    ];
    if (!byId("overview").hidden) left = { hash: overviewHash, top: scrollY, from: document.activeElement };
    shown = linkOf(row);
    delete article.dataset.shows;
    article.replaceChildren(...top);
    byId("overview").hidden = true;
    article.hidden = false;
    scrollTo({ top: 0, behavior: "instant" });
    article.focus({ preventScroll: true });
    let texts;
    try {
      texts = await Promise.all([unpack(answer[3]), unpack(answer[4]), unpack(suite.asked)]);
    } catch (error) {
      if (mine === showing) article.append(make("p", { class: "notice bad" },
        "This browser cannot unpack the texts (", String(error), "); it takes one of 2023 or later. What was said: ", row[4],
        ". The whole answer is in the run folder: ", make("code", {}, answer[7])));
      return;
    }
    if (mine !== showing) return;
    const [said, runs, asked] = texts;
    const { evidence, logs, nodeid, sandbox } = runOf(row, runs);
    const missing = "nothing was run, or it was not kept";
    // A judge may look more than once; each look has its name from its log's.
    const ran = (logs.length ? logs : [["", ""]]).flatMap(([log, seen]) => {
      const look = logs.length > 1 ? `: ${log.split("/").pop().replace(/\.log$/, "")}` : "";
      return [
        textSection(`What was observed${look}`, runs.texts[seen], { missing }),
        textSection(`What it printed${look}${sandbox ? ` (sandbox: ${sandbox})` : ""}`, runs.texts[log], { missing }),
      ];
    });
    const changes = said.diff.map(([path, text]) => textSection(`Changes in ${path}`, text, { isOpen: true, isDiff: true }));
    article.append(
      ...(answer[6] ? [section("Why there is no whole answer", true, ...textBlock(answer[6], false))] : []),
      textSection("Assertion", evidence, { isOpen: true, missing: outcome === "passed" ? "It held." : "Nothing was said." }),
      ...(changes.length ? changes : [section("Changes", false, make("p", { class: "fine" }, "none, or not at hand when this report was made"))]),
      ...ran,
      textSection("Answer", said.answer),
      textSection("Reasoning", said.reasoning, { missing: "The server sent none apart from the answer." }),
      textSection("Prompt", asked.prompt),
      ...asked.program.map(([path, text]) => textSection(`The program as it was given: ${path}`, text)),
      make("dl", { class: "paths" },
        make("dt", {}, "Transcript"), make("dd", { class: "path" }, answer[7]),
        ...logs.flatMap(([log]) => [make("dt", {}, "Log"), make("dd", { class: "path" }, log)]),
        ...(nodeid ? [make("dt", {}, "Test"), make("dd", { class: "path" }, nodeid)] : []),
        make("dt", {}, "Took"), make("dd", {}, `${row[3]} s`)),
    );
    article.dataset.shows = linkOf(row);
  }

  // Where to

  const places = new Map(index.rows.map((row) => [linkOf(row), row]));

  function tell(text) {
    byId("trouble").textContent = text;
    byId("trouble").hidden = !text;
  }

  function route() {
    const hash = location.hash;
    tell("");
    if (hash.startsWith("#check/")) {
      const row = places.get(hash) || places.get("#check/" + hash.slice(7).split("/").map((part) => {
        try { return encodeURIComponent(decodeURIComponent(part)); } catch { return part; }
      }).join("/"));
      if (row) { show(row); return; }
      tell("This report has no such check; here is what it has.");
    }
    ++showing;
    const wasDetail = byId("overview").hidden;
    byId("detail").hidden = true;
    byId("overview").hidden = false;
    if (hash.startsWith("#checks")) {
      backTo = hash;
      filterFrom(hash.split("?")[1] || "");
    }
    overviewHash = hash;
    const target = hash.length > 1 && byId(hash.slice(1).split("?")[0]);
    if (wasDetail) comeBack(hash, target);
    else if (target && hash.includes("?")) target.scrollIntoView();
  }

  // Keys: none where somebody writes.

  const KEYS = { n: "go-next", p: "go-previous", u: "go-back" };

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isField = event.target.closest("input, select, textarea");
    if (event.key === "Escape" && event.target === byId("filter-text")) {
      byId("filter-text").value = "";
      list();
      remember();
    } else if (isField) {
      return;
    } else if (event.key === "/") {
      event.preventDefault();
      if (byId("overview").hidden) location.hash = backTo;
      byId("overview").hidden = false;
      byId("filter-text").focus();
    } else if (KEYS[event.key] && !byId("detail").hidden) {
      byId(KEYS[event.key])?.click();
    }
  }

  // Colours

  const THEMES = ["as the system", "light", "dark"];

  function setTheme(name) {
    if (name === THEMES[0]) delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = name;
    byId("theme").textContent = `Colours: ${name}`;
    try { localStorage.setItem("llmbench-theme", name); } catch { /* a file may have no storage */ }
  }

  function storedTheme() {
    try { return localStorage.getItem("llmbench-theme"); } catch { return null; }
  }

  function start() {
    fillSelects();
    byId("filter").hidden = false;
    byId("theme").hidden = false;
    setTheme(THEMES.includes(storedTheme()) ? storedTheme() : THEMES[0]);
    byId("theme").addEventListener("click", () => {
      const now = document.documentElement.dataset.theme || THEMES[0];
      setTheme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
    });
    byId("filter").addEventListener("submit", (event) => event.preventDefault());
    byId("filter").addEventListener("input", () => { list(); remember(); backTo = location.hash; });
    byId("filter").addEventListener("reset", () => setTimeout(() => { list(); remember(); backTo = location.hash; }));
    byId("more").addEventListener("click", drawMore);
    document.addEventListener("keydown", onKey);
    addEventListener("hashchange", route);
    addEventListener("beforeprint", () => {
      for (const details of document.querySelectorAll("#detail details")) {
        details.dispatchEvent(new Event("fill"));
        details.open = true;
      }
    });
    list();
    route();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
