(() => {
  "use strict";
  const by = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll(".row")];

  const open = (row, wanted) => {
    row.querySelector("button").ariaExpanded = String(wanted);
    row.nextElementSibling.hidden = !wanted || row.hidden;
  };
  const isOpen = (row) => row.querySelector("button").ariaExpanded === "true";

  const apply = () => {
    const words = by("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const { words: told, verdicts, differ, failing } = row.dataset;
      const tokens = told.split(" ");
      // A clause is a whole word: APP-1 is not APP-12.
      const fits = (word) => /^[a-z]+-\d+$/.test(word) ? tokens.includes(word) : told.includes(word);
      const all = verdicts.split(" ");
      const looked = by("run").value === "" ? all : [all[by("run").value]];
      row.hidden = !(words.every(fits) && (!by("verdict").value || looked.includes(by("verdict").value)) &&
        (!by("differ").checked || differ === "1") && (!by("failing").checked || failing === "1"));
      open(row, isOpen(row));
      shown += !row.hidden;
    }
    by("shown").value = `${shown} of ${rows.length} cases`;
    document.querySelector(".none").hidden = shown > 0;
  };

  /** What the address names: a case, or one of its messages. */
  const follow = () => {
    const target = by(decodeURIComponent(location.hash.slice(1)));
    const more = target?.closest(".more");
    if (!more) return;
    more.previousElementSibling.hidden = false;
    open(more.previousElementSibling, true);
    if (target.tagName === "DETAILS") target.open = true;
    target.scrollIntoView({ block: "nearest" });
    target.querySelector("summary")?.focus();
  };

  for (const row of rows) row.querySelector("button").addEventListener("click", () => open(row, !isOpen(row)));
  for (const id of ["search", "verdict", "run", "differ", "failing"]) by(id).addEventListener("input", apply);
  const tools = document.querySelector(".tools");
  tools.hidden = false;
  tools.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    if (event.target.closest(".ladder a")) setTimeout(follow);  // also when the address stays the same
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== by("search")) {
      event.preventDefault();
      by("search").focus();
    }
  });
  addEventListener("hashchange", follow);
  apply();
  follow();
})();
