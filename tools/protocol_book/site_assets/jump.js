// A clause by its id: Enter in the search box, or index.html#call-9, leads straight to it.
{
  const root = new URL('..', document.currentScript.src);
  const jump = (name) => {
    const target = window.CLAUSES[name.trim().toUpperCase()];
    if (target) location.href = new URL(target, root);
    return Boolean(target);
  };
  if (location.href.split('#')[0] === new URL('index.html', root).href) jump(location.hash.slice(1));
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target.matches?.('[data-md-component="search-query"]') && jump(event.target.value)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }, true);
}
