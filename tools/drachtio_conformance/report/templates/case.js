// Draws a case that was packed as case.html.j2 draws one that stands in the page.
const draw = (() => {
  "use strict";
  const TIME = 64, EDGE = 62, GAP = 236, HEAD = 40, ROW = 32, GLYPH = 6.3;  // of ladder_svg.py
  const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  const plain = (marked) => marked.replace(/\ue000|\ue001/g, "").replace(/\r\n/g, "\n");

  const octets = (marked) => escape(marked)
    .replace(/\ue000(.*?)\ue001/g, '<i class="esc">$1</i>')
    .replace(/\r\n|\n|\r/g, (end) => end === "\r\n" ? '<i class="eol" title="CR LF">↵</i>\n'
      : `<i class="eol odd" title="${end === "\n" ? "LF" : "CR"} alone">${end === "\n" ? "\\n" : "\\r"}</i>\n`)
    .replace(/\ue002(.*?)\ue003/g, '\n<i class="gap">… $1 octets not shown …</i>\n');

  const message = (marked, names) => {
    const frame = names === undefined ? null : /^(\d{1,8}#)([^\r\n]*)([^]*)$/.exec(marked);
    if (!frame) return octets(marked);
    const called = names.split("|");
    const tokens = frame[2].split("|");
    const shown = called.map((name, place) => {
      const token = place === called.length - 1 ? tokens.slice(place).join("|") : tokens[place] ?? "";
      return `<span class="t${Math.min(place, 2)}" title="${escape(name)}">${octets(token)}</span>`;
    });
    return `<b class="len">${frame[1]}</b>${shown.join('<i class="bar">|</i>')}${octets(frame[3])}`;
  };

  const clause = (name, all) => {
    if (!all[name]) return `<blockquote><b>${escape(name)}</b></blockquote>`;
    const [title, level, party, text, example, deviations] = all[name];
    const others = deviations.map(([id, ours, theirs]) =>
      `<span class="deviation"><b>${id}</b> ${ours} <i>(genuine server: ${theirs})</i></span>`).join("");
    return `<blockquote><b>${name} · ${escape(title)} · ${level} · ${party}</b> ${text}\n${others}
      <details><summary>Example</summary><pre>${escape(example)}</pre></details></blockquote>`;
  };

  const steps = (one) => {
    const file = one.source.replace(/:[^:]*$/, "");
    const outcomes = ["ok", "failed", "error", "not-run"];
    const value = (text) => {
      if (!text) return "";
      const [first, ...rest] = text.trim().split("\n");
      return `<code class="short" title="${escape(text)}">${escape(first.trimEnd())}${rest.length ? " …" : ""}</code>`;
    };
    const seen = (came) => {
      if (typeof came === "string") return came;
      const text = plain(one.events[came].text);
      return /^\d+#/.test(text) ? text.slice(text.indexOf("#") + 1) : text;
    };
    const rows = one.steps.map(({ state, at, sentence, source, expected, actual }) => `
      <tr class="s-${outcomes[state >> 1]}${state & 1 ? " check" : ""}"><td class="time">${state >> 1 === 3 ? "–" : at.toFixed(3)}</td>
      <td>${escape(sentence)}<small>${escape(source.includes(":") ? source : `${file}:${source}`)}</small></td>
      <td>${value(expected)}</td><td>${value(seen(actual))}</td></tr>`);
    return rows.length ? `<table class="steps"><thead><tr><th>at</th><th>step</th><th>expected</th><th>actual</th></tr></thead>
      <tbody>${rows.join("")}</tbody></table>` : "";
  };

  const short = (text, room) => {
    const limit = Math.max(Math.floor(room / GLYPH), 4);
    const characters = [...text];
    return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join("")}…`;
  };

  const ladder = (one, anchor) => {
    const names = one.lifelines;
    if (!names.length) return "";
    const x = names.map((_, place) => TIME + EDGE + GAP * place);
    const width = TIME + 2 * EDGE + GAP * Math.max(names.length - 1, 1);
    const height = HEAD + ROW * one.events.length + 18;
    const lives = names.map((name, place) => `<path class="life" d="M${x[place]} 30V${height - 6}"/>
      <rect class="head" x="${x[place] - 54}" y="6" width="108" height="24" rx="6"/>
      <text class="name" x="${x[place]}" y="22">${escape(short(name, 100))}</text>`);
    const arrows = one.events.map(({ at, kind, source, target, summary }, place) => {
      const y = HEAD + ROW * (place + 1) - 8;
      const [from, to] = [source, target].map((name) => names.indexOf(name));
      const time = `<text class="time" x="56" y="${y + 4}">${at.toFixed(3)}</text>`;
      if (kind === "note" || from === to || from < 0 || to < 0) {
        const label = short(summary, width - TIME);
        const half = Math.floor([...label].length * GLYPH / 2);
        const middle = Math.max(Math.min(from < 0 ? Math.floor((TIME + width) / 2) : x[from], width - half), TIME + half);
        return `${time}<text class="note" x="${middle}" y="${y + 4}">${escape(label)}</text>`;
      }
      const [forth, wide] = [x[to] > x[from] ? 7 : -7, Math.abs(x[to] - x[from])];
      return `${time}<a class="${kind}" href="#${anchor}-${place}">
        <title>${escape(source)} → ${escape(target)}: ${escape(summary)}</title>
        <rect class="hit" x="${Math.min(x[from], x[to])}" y="${y - 22}" width="${wide}" height="${ROW - 2}"/>
        <path d="M${x[from]} ${y}H${x[to] - forth / 7}m${-forth} -4l${forth} 4l${-forth} 4"/>
        <text x="${(x[from] + x[to]) / 2}" y="${y - 6}">${escape(short(summary, wide - 16))}</text></a>`;
    });
    return `<svg class="ladder" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
      <title>Message ladder: ${escape(names.join(", "))}</title>${lives.join("")}${arrows.join("")}</svg>`;
  };

  const messages = (one, anchor) => one.events.map(({ at, kind, source, target, summary, text, names, size }, place) =>
    kind === "note" ? "" : `<details class="message ${kind}" id="${anchor}-${place}"><summary>
      <span class="time">${at.toFixed(3)}</span><span>${escape(source)} → ${escape(target)}</span><b>${escape(summary)}</b><span class="time">${size} B</span></summary>
      <pre>${message(text, names)}</pre></details>`).join("");

  const inside = (one, anchor, clauses) => `
    ${one.reason ? `<p class="reason"><b>${one.verdict}</b> ${escape(one.reason)}</p>` : ""}
    ${one.clauses.map((name) => clause(name, clauses)).join("")}
    ${steps(one)}
    ${one.lifelines.length ? `<div class="wire"><div class="drawing">${ladder(one, anchor)}</div>
      <div class="messages">${messages(one, anchor)}</div></div>` : ""}
    <p class="foot"><span>${escape(one.source)}</span>${one.rerun ? `<code class="rerun">${escape(one.rerun)}</code>` : ""}</p>`;

  const seconds = (time) => time < 0.9995 ? `${Math.round(time * 1000)} ms`
    : time < 60 ? `${Number(time.toPrecision(3))} s` : `${Math.floor(time / 60)} min ${Math.floor(time) % 60} s`;

  /** The closed row of a case, as an element. */
  const row = (one, glyph) => {
    const item = document.createElement("details");
    item.className = `case v-${one.verdict}`;
    item.id = `c${one.n}`;
    item.dataset.verdict = one.verdict;
    item.dataset.search = [one.name, one.title, ...one.clauses, one.reason, one.mutant].join(" ").toLowerCase();
    item.innerHTML = `<summary><span class="glyph" title="${one.verdict}">${glyph}</span>
      <span class="title">${escape(one.title)}${one.mutant ? ` <em>broken twin: ${escape(one.mutant)}</em>` : ""}</span>
      <span class="name">${escape(one.name)}</span><span class="ids">${one.clauses.join(" ")}</span>
      <span class="time">${seconds(one.time)}</span></summary><div class="inside"></div>`;
    return item;
  };
  return { row, inside };
})();
