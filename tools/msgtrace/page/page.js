"use strict";
// All text of the recording goes through textContent: nothing of it is ever markup.
const data = JSON.parse(document.getElementById("data").textContent);
const byNumber = new Map(data.messages.map((m) => [m[0], m]));
const calls = new Map(data.calls.map((c) => [c.number, c]));
const $ = (id) => document.getElementById(id);
const NAMES = {good: "fine", warn: "with a remark", bad: "failed", open: "unfinished"};
const MOST_CAUSES = 12;
const AT_ONCE = 300;
const state = {endings: new Set(["good", "warn", "bad", "open"]), shown: [], drawn: 0, chosen: -1, call: null, row: -1, clock: false, hex: false};

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function drawing(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Search: what the list shows, and the messages of a call; made once for each call, when it is asked for.
const haystacks = new Map();
function haystack(call) {
  let text = haystacks.get(call.number);
  if (text === undefined) {
    const parts = [call.number, call.method, call.caller, call.callee, call.call_id, call.text];
    for (const row of call.rows) {
      parts.push(row[4]);
      const message = byNumber.get(row[5]);
      if (message) parts.push(decoded(message[5]));
    }
    text = parts.join("\n").toLowerCase();
    haystacks.set(call.number, text);
  }
  return text;
}

function fits(call) {
  if (!state.endings.has(call.ending)) return false;
  if ($("method").value && call.method !== $("method").value) return false;
  if ($("cause").value && call.cause !== $("cause").value) return false;
  const words = $("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return !words.length || words.every((word) => haystack(call).includes(word));
}

// Messages are octets, one character each.
const decoder = new TextDecoder("utf-8");
function decoded(octets) { return decoder.decode(Uint8Array.from(octets, (c) => c.charCodeAt(0))); }

function list() {
  state.shown = data.calls.filter(fits);
  state.drawn = 0;
  state.chosen = -1;
  $("list").querySelector("tbody").replaceChildren();
  $("none").hidden = state.shown.length > 0;
  more();
  for (const button of $("causes").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.cause === $("cause").value));
  const real = data.calls.filter((call) => call.number);
  const legs = real.filter((call) => call.leg_of).length;
  const count = (ending) => real.filter((call) => call.ending === ending).length;
  const shown = state.shown.filter((call) => call.number).length;
  const left = data.left_out ? ` ${data.left_out} messages are left out, this page holds the first of them.` : "";
  $("counts").textContent = `${data.form}. ${real.length} calls${legs ? `, of which ${legs} are other legs` : ""}: ${count("bad")} failed, ${count("open")} unfinished, ${count("warn")} with a remark; ${shown} shown.${left}`;
}

function more() {
  const body = $("list").querySelector("tbody");
  const part = document.createDocumentFragment();
  for (const call of state.shown.slice(state.drawn, state.drawn + AT_ONCE)) part.append(line(call));
  state.drawn = Math.min(state.shown.length, state.drawn + AT_ONCE);
  body.append(part);
}

function line(call) {
  const row = element("tr");
  row.dataset.call = call.number;
  const number = element("td", undefined, "number");
  number.append(element("span", call.sign, call.ending), " " + (call.number || "other"));
  row.append(number, element("td", moment(call.begin, call.clock), "time"), element("td", call.method), element("td", call.caller, "from"), element("td", call.callee, "to"), element("td", call.text, "text " + call.ending));
  return row;
}

function moment(at, clock) {
  if (!state.clock) return at.toFixed(3);
  const found = /\d\d:\d\d:\d\d(?:\.\d{1,3})?/.exec(clock || "");
  return found ? found[0] : at.toFixed(3);
}

function choose(index) {
  if (index < 0 || index >= state.shown.length) return;
  while (index >= state.drawn) more();
  state.chosen = index;
  const rows = $("list").querySelector("tbody").children;
  for (const row of $("list").querySelectorAll('[aria-selected="true"]')) row.removeAttribute("aria-selected");
  rows[index].setAttribute("aria-selected", "true");
  rows[index].scrollIntoView({block: "nearest"});
}

function open(number) {
  const call = calls.get(number);
  if (!call) return;
  state.call = call;
  state.row = -1;
  $("list").hidden = true;
  $("controls").hidden = true;
  $("call").hidden = false;
  closeMessage();
  $("call").querySelector("h2").textContent = call.number ? `Call ${call.number}: ${call.method} ${call.caller} → ${call.callee}` : "Other messages";
  const verdict = $("call").querySelector(".verdict");
  verdict.textContent = `${call.sign} ${call.text}`;
  verdict.className = "verdict " + call.ending;
  const legs = $("call").querySelector(".legs");
  legs.replaceChildren(call.call_id ? `Call-ID ${call.call_id}. ` : "");
  for (const other of [call.leg_of, ...call.legs].filter(Boolean)) {
    const button = element("button", `open call ${other}`);
    button.type = "button";
    button.addEventListener("click", () => { location.hash = "call-" + other; });
    legs.append(button, " ");
  }
  ladder(call);
  window.scrollTo(0, 0);
  $("ladder").focus({preventScroll: true});
}

// The legs of one call are drawn together, in the order of time.
function rowsOf(call) {
  const all = [call, ...call.legs.map((number) => calls.get(number)).filter(Boolean)];
  if (all.length === 1) return call.rows;
  const seen = new Set();
  return all.flatMap((one) => one.rows).filter((row) => !row[5] || row[1] === "sip" || !seen.has(row[5]) && seen.add(row[5])).sort((a, b) => a[0] - b[0] || a[5] - b[5]);
}

function ladder(call) {
  const rows = rowsOf(call);
  state.rows = rows;
  const left = [], right = [];
  let server = false;
  for (const row of rows) for (const name of [row[2], row[3]]) {
    if (name === "server") server = true;
    else if (name && !left.includes(name) && !right.includes(name)) (row[1] === "sip" ? left : right).push(name);
  }
  const names = [...left, ...(server || !left.length && !right.length ? ["server"] : []), ...right];
  const edge = 170, room = Math.max(320, $("ladder").clientWidth || 800), gap = Math.max(130, Math.min(330, (room - edge - 80) / Math.max(1, names.length - 1)));
  const x = (name) => edge + gap * names.indexOf(name);
  const high = 26, top = 40, width = edge + gap * (names.length - 1) + 90;
  const svg = drawing("svg", {width, height: top + high * rows.length + 12, role: "img", "aria-label": `Ladder of ${rows.length} messages between ${names.join(", ")}`});
  for (const name of names) {
    svg.append(drawing("line", {class: "life", x1: x(name), x2: x(name), y1: top - 10, y2: top + high * rows.length + 8}));
    svg.append(drawing("text", {class: "head", x: x(name), y: 18}, cut(name, Math.floor((gap - 8) / 7.2))));
  }
  let before = rows.length ? rows[0][0] : 0;
  const begin = before;
  const longest = rows.reduce((most, row, index) => Math.max(most, index ? row[0] - rows[index - 1][0] : 0), 0);
  rows.forEach((row, index) => {
    const [at, kind, source, target, label, number, times, until, status, bad] = row;
    const y = top + high * index + 14;
    const group = drawing("g", {class: `row ${kind}${bad ? " failed" : ""}`, "data-row": index});
    group.append(drawing("rect", {class: "hit", x: 0, y: y - 15, width, height: high}));
    const message = byNumber.get(number);
    group.append(drawing("text", {class: "time", x: 6, y: y + 4}, moment(at - begin, message && message[1])));
    const since = at - before;
    if (since >= 0.0005) {
      group.append(drawing("text", {class: "time", x: 84, y: y + 4}, "+" + since.toFixed(3)));
      group.append(drawing("rect", {class: "wait", x: 82, y: y + 7, width: longest > 0 ? Math.max(1, 60 * since / longest) : 1, height: 2}));
    }
    before = at;
    const again = times > 1 ? ` ×${times} until ${(until - begin).toFixed(1)}` : "";
    if (source && target && source !== target) {
      const from = x(source), to = x(target), way = to > from ? 1 : -1;
      group.append(drawing("line", {x1: from, x2: to - way * 7, y1: y + 5, y2: y + 5}));
      group.append(drawing("path", {d: `M${to} ${y + 5}l${-way * 8} -4v8z`}));
      group.append(drawing("text", {class: "label", x: (from + to) / 2, y: y}, cut(label, Math.floor((Math.abs(to - from) - 20) / 6.3) - again.length) + again));
    } else {
      group.append(drawing("text", {class: "label", x: (source ? x(source) : edge - 10) + 6, y: y + 4}, label));
    }
    if (number) group.append(drawing("title", {}, `${label}${again} (message ${number})`));
    svg.append(group);
  });
  $("ladder").replaceChildren(svg);
}

function cut(text, room) { return text.length > room ? text.slice(0, Math.max(1, room - 1)) + "…" : text; }

function show(index) {
  if (!state.rows || index < 0 || index >= state.rows.length) return;
  state.row = index;
  for (const row of $("ladder").querySelectorAll(".chosen")) row.classList.remove("chosen");
  const drawn = $("ladder").querySelector(`[data-row="${index}"]`);
  drawn.classList.add("chosen");
  drawn.scrollIntoView({block: "nearest"});
  const message = byNumber.get(state.rows[index][5]);
  if (!message) { closeMessage(); return; }
  state.message = message;
  document.querySelector("main").classList.add("two");
  $("message").hidden = false;
  const [number, clock, where, summary, tokens, , , answers, took, remarks, sdp] = message;
  $("message").querySelector("h2").textContent = `${number}: ${summary}`;
  const about = [clock, where];
  if (answers) about.push(`answers ${answers}` + (took === null ? "" : ` after ${(took * 1000).toFixed(1)} ms`));
  if (sdp) about.push("SDP: " + sdp);
  if (remarks) about.push(remarks);
  $("message").querySelector(".about").textContent = about.filter(Boolean).join(" · ");
  const table = $("message").querySelector(".tokens");
  table.replaceChildren();
  for (const [name, value] of tokens) {
    if (!value && name === "end") continue;
    const row = element("tr");
    row.append(element("th", name), element("td", value || "(empty)"));
    table.append(row);
  }
  written();
}

function written() {
  const [, , , , , text, left] = state.message;
  const pre = $("message").querySelector("pre");
  pre.replaceChildren();
  pre.hidden = !text;
  if (state.hex) pre.append(dump(text));
  else marked(pre, text);
  if (left) pre.append(element("i", `\n… ${left} more octets`));
  $("hex").textContent = state.hex ? "text" : "octets";
}

// Octets as text: UTF-8 where it is, the rest visible as \xNN; the name of each header field is set apart.
function marked(pre, text) {
  const shown = decoded(text);
  let head = true;
  shown.split("\n").forEach((line, index) => {
    if (index) pre.append("\n");
    const plain = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (index && !plain) head = false;
    const colon = head && index ? /^[A-Za-z0-9-]+(?=:)/.exec(plain) : null;
    if (colon) pre.append(element("b", colon[0]));
    const rest = colon ? plain.slice(colon[0].length) : plain;
    for (const piece of rest.split(/([\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd])/)) {
      if (piece.length === 1 && /[\x00-\x1f\x7f-\x9f\u200e-\u202e\u2066-\u2069\ufffd]/.test(piece) && piece !== "\t") pre.append(element("i", "\\x" + piece.codePointAt(0).toString(16).padStart(2, "0")));
      else if (piece) pre.append(piece);
    }
  });
}

function dump(text) {
  const lines = [];
  for (let place = 0; place < text.length; place += 16) {
    const part = text.slice(place, place + 16);
    const hex = Array.from(part, (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join(" ");
    lines.push(place.toString(16).padStart(6, "0") + "  " + hex.padEnd(48) + " " + part.replace(/[^\x20-\x7e]/g, "."));
  }
  return lines.join("\n");
}

function closeMessage() {
  $("message").hidden = true;
  document.querySelector("main").classList.remove("two");
}

function back() {
  state.call = null;
  $("call").hidden = true;
  closeMessage();
  $("list").hidden = false;
  $("controls").hidden = false;
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  if (state.chosen >= 0) choose(state.chosen);
  $("list").focus({preventScroll: true});
}

function follow() {
  const found = /^#call-(\d+)$/.exec(location.hash);
  if (found && calls.has(Number(found[1]))) open(Number(found[1]));
  else if (state.call) back();
}

function causeLine(cause, text) {
  const button = element("button", text);
  button.type = "button";
  button.dataset.cause = cause;
  button.addEventListener("click", () => { $("cause").value = $("cause").value === cause ? "" : cause; list(); });
  const line = element("li");
  line.append(button);
  return line;
}

function begin() {
  $("title").textContent = data.title;
  for (const ending of ["bad", "warn", "open", "good"]) {
    const button = element("button", NAMES[ending], ending);
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      state.endings.has(ending) ? state.endings.delete(ending) : state.endings.add(ending);
      button.setAttribute("aria-pressed", String(state.endings.has(ending)));
      list();
    });
    $("endings").append(button);
  }
  for (const method of [...new Set(data.calls.map((call) => call.method))].filter(Boolean).sort()) $("method").append(element("option", method));
  const causes = new Map();
  // Each call once, its other legs not again.
  for (const call of data.calls) if (call.ending === "bad" && call.number && !call.leg_of) causes.set(call.cause, (causes.get(call.cause) || 0) + 1);
  for (const [cause, count] of [...causes].sort((a, b) => b[1] - a[1])) {
    const option = element("option", `${count} × ${cause}`);
    option.value = cause;
    $("cause").append(option);
    if ($("causes").children.length < MOST_CAUSES) $("causes").append(causeLine(cause, option.textContent));
  }
  let waiting = 0;
  $("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(list, 120); });
  for (const id of ["method", "cause"]) $(id).addEventListener("change", list);
  $("times").addEventListener("click", times);
  $("back").addEventListener("click", back);
  $("close").addEventListener("click", closeMessage);
  $("hex").addEventListener("click", () => { state.hex = !state.hex; written(); });
  $("copy").addEventListener("click", () => { const pre = $("message").querySelector("pre"); getSelection().selectAllChildren(pre); document.execCommand("copy"); });
  $("list").querySelector("tbody").addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row) { choose([...row.parentNode.children].indexOf(row)); location.hash = "call-" + row.dataset.call; }
  });
  $("ladder").addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) show(Number(row.dataset.row));
  });
  window.addEventListener("scroll", () => { if (!state.call && innerHeight + scrollY > document.body.scrollHeight - 600) more(); });
  window.addEventListener("hashchange", follow);
  window.addEventListener("resize", () => { if (state.call) { ladder(state.call); if (state.row >= 0) show(state.row); } });
  document.addEventListener("keydown", key);
  list();
  follow();
}

function times() {
  state.clock = !state.clock;
  $("times").textContent = state.clock ? "times: of day" : "times: since the beginning";
  if (state.call) ladder(state.call);
  const chosen = state.chosen;
  list();
  if (chosen >= 0 && !state.call) choose(chosen);
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input, select");
  if (event.key === "Escape") {
    if (typing) event.target.blur();
    else if (!$("message").hidden) closeMessage();
    else if (state.call) back();
    return;
  }
  if (typing) return;
  const step = {ArrowDown: 1, j: 1, ArrowUp: -1, k: -1}[event.key];
  if (step) {
    event.preventDefault();
    if (state.call) show(Math.max(0, state.row + step));
    else choose(Math.max(0, state.chosen + step));
  } else if (event.key === "Enter" && !state.call && state.chosen >= 0) location.hash = "call-" + state.shown[state.chosen].number;
  else if (event.key === "/" && !state.call) { event.preventDefault(); $("search").focus(); }
  else if (event.key === "t") times();
}

begin();
