(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const search = document.getElementById("search");
  const chips = all(".chip");
  const cases = all(".case");

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = chips.filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.verdict);
    let shown = 0;
    for (const item of cases) {
      const tokens = item.dataset.search.split(" ");
      const matches = (word) => /^[a-z]+-\d+$/.test(word) ? tokens.includes(word) : item.dataset.search.includes(word);
      item.hidden = !(words.every(matches) && (!verdicts.length || verdicts.includes(item.dataset.verdict)));
      shown += !item.hidden;
    }
    for (const group of all(".group")) group.hidden = !group.querySelector(".case:not([hidden])");
    document.querySelector(".none").hidden = shown > 0;
    document.getElementById("shown").value = shown === cases.length ? `${shown} ${shown === 1 ? "case" : "cases"}` : `${shown} of ${cases.length}`;
  };

  const place = (data) => {
    const number = (item) => Number(item.id.slice(1));
    for (const one of unpack.cases(data)) {
      const item = draw.row(one, document.querySelector(`[data-glyph-of="${one.verdict}"]`).dataset.glyph);
      item.addEventListener("toggle", () => {
        const inside = item.querySelector(".inside");
        if (item.open && !inside.firstChild) inside.innerHTML = draw.inside(one, item.id, data.clauses);
      });
      item.fill = () => item.open || (item.open = true, item.querySelector(".inside").innerHTML = draw.inside(one, item.id, data.clauses));
      const group = document.querySelector(`[data-family="${CSS.escape(one.name.split("/")[0])}"]`);
      const next = all(".case", group).find((other) => number(other) > one.n);
      group.insertBefore(item, next ?? null);
      cases.push(item);
    }
    for (const cell of all("[data-clause]")) {
      const clause = data.clauses[cell.dataset.clause];
      if (clause) {
        const text = document.createElement("i");
        text.innerHTML = clause[3];
        cell.title = `${cell.dataset.clause} · ${clause[0]}\n${clause[1]}: ${text.textContent}\n${cell.title}`;
      }
    }
  };

  const open = () => {
    const owner = document.getElementById(location.hash.slice(1).split("-")[0]);
    owner?.fill?.();
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let node = target; node; node = node.parentElement) {
      node.hidden = false;
      if (node.tagName === "DETAILS") node.open = true;
    }
    target.scrollIntoView({ block: "nearest" });
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {  // a page from a file, or an old browser
      const area = document.body.appendChild(document.createElement("textarea"));
      area.value = text;
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };

  document.querySelector(".tools").hidden = false;
  search.addEventListener("input", apply);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.ariaPressed = String(chip.ariaPressed !== "true");
      apply();
    });
  }
  for (const cell of all("[data-clause]")) {
    cell.addEventListener("click", (event) => {
      event.preventDefault();
      search.value = cell.dataset.clause;
      apply();
      document.querySelector(".tools").scrollIntoView({ behavior: "smooth" });
    });
  }
  document.addEventListener("click", (event) => {
    const command = event.target.closest(".rerun, .copy");
    if (command) {
      event.preventDefault();
      copy(command.dataset.text ?? command.textContent).then(() => command.classList.add("copied"));
    }
    if (event.target.closest(".ladder a")) setTimeout(open);  // also when the address stays the same
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    }
  });
  addEventListener("hashchange", open);
  apply();
  // Cases that need no look are packed.
  unpack.columns(document.getElementById("packed").textContent).then(place).then(apply).then(open);
})();
