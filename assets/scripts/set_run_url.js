(run) => {
  // Event: write the id of the open run, or the open tab, to the address of the page.
  const url = new URL(window.location);
  const changed = (url.searchParams.get('run') || '') !== (run || '');
  if (run) url.searchParams.set('run', run); else url.searchParams.delete('run');
  const panel = [...document.querySelectorAll('[role=tabpanel][id^="tab-"]')].find((node) => node.offsetParent);
  if (changed && !run && panel) url.searchParams.set('tab', panel.id.slice(4));
  // Only what the user opens or closes gets a history entry.
  if (changed && navigator.userActivation?.hasBeenActive) window.history.pushState(null, '', url);
  else window.history.replaceState(null, '', url);
}
