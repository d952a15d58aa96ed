'use strict';
const find = document.getElementById('find');
const differ = document.getElementById('differ');
const failing = document.getElementById('failing');
const rows = [...document.querySelectorAll('tbody > tr[data-words]')];
function show() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const fits = words.every((word) => row.dataset.words.includes(word)) &&
      (!differ.checked || row.dataset.differ === '1') && (!failing.checked || row.dataset.failing === '1');
    row.hidden = !fits;
    shown += fits;
  }
  document.getElementById('shown').textContent = `${shown} of ${rows.length} cases`;
}
for (const input of [find, differ, failing]) input.addEventListener('input', show);
document.querySelector('form').addEventListener('submit', (event) => event.preventDefault());
show();
