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

  // Cases that passed are packed: a JSON list of HTML texts, gzip, base64.
  const unpacked = (async () => {
    const bytes = Uint8Array.from(atob(document.getElementById("packed").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  })();
  const fill = async (item) => {
    const place = item.dataset.packed;
    if (place === undefined) return;
    delete item.dataset.packed;
    item.querySelector(".inside").innerHTML = (await unpacked)[place];
  };
  for (const item of cases) {
    if (item.open) fill(item);
    item.addEventListener("toggle", () => item.open && fill(item));
  }

  const open = async () => {
    const owner = document.getElementById(location.hash.slice(1).split("-")[0]);
    if (owner?.classList.contains("case")) await fill(owner);
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let node = target; node; node = node.parentElement) {
      node.hidden = false;
      if (node.tagName === "DETAILS") node.open = true;
    }
    target.scrollIntoView({ block: "nearest" });
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
    const command = event.target.closest(".rerun");
    if (command) {
      navigator.clipboard?.writeText(command.textContent);
      command.classList.add("copied");
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
  open();
})();
