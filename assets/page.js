() => {
  // Times that pass, and times of day in the viewer's own zone, without asking the server.
  const words = (seconds) => {
    const s = Math.max(0, Math.round(seconds));
    if (s < 60) return `${s} s`;
    if (s < 600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  };
  const draw = () => {
    document.querySelectorAll('[data-since]').forEach((node) => {
      const text = words((Date.now() - Date.parse(node.dataset.since)) / 1000);
      if (node.textContent !== text) node.textContent = text;
    });
    document.querySelectorAll('time[data-local]').forEach((node) => {
      const text = new Date(node.dataset.local).toLocaleString([], {dateStyle: 'medium', timeStyle: 'short'});
      if (node.textContent !== text) node.textContent = text;
    });
  };
  // A step begins at its top, wherever the one before was left.
  document.addEventListener('click', (event) => {
    if (!event.target.closest('.at-next button')) return;
    setTimeout(() => {
      const steps = [...document.querySelectorAll('.stepper')].find((node) => node.offsetParent);
      if (steps && steps.getBoundingClientRect().top < 0) steps.scrollIntoView({block: 'start'});
    }, 250);
  });
  // A reload comes back to the tab that was open.
  document.addEventListener('click', (event) => {
    if (!event.target.closest('#main-tabs button[role=tab]')) return;
    setTimeout(() => {
      const open = [...document.querySelectorAll('[role=tabpanel][id^="tab-"]')].find((node) => node.offsetParent);
      if (!open) return;
      const url = new URL(window.location);
      url.searchParams.set('tab', open.id.slice(4));
      window.history.replaceState(null, '', url);
    }, 250);
  });
  // Back and forward between the runs that were opened: the page that the address is of, and no run that it does not name.
  window.addEventListener('popstate', () => {
    localStorage.removeItem('autotrain-gradio-run');
    window.location.reload();
  });
  // The app does not answer: say so, ask until it does, and load the page again if it is another process by then.
  let away = false;
  const isSame = async () => {
    const answer = await fetch(new URL('gradio_api/app_id', document.baseURI), {cache: 'no-store'});
    if (!answer.ok) throw new Error(answer.statusText);
    return String((await answer.json()).app_id) === String(window.gradio_config?.app_id);
  };
  window.addEventListener('autotrain-away', async () => {
    if (away) return;
    away = true;
    const told = document.createElement('div');
    told.className = 'at-away';
    told.setAttribute('role', 'alert');
    for (;;) {
      try {
        if (!(await isSame())) window.location.reload();
        break;
      } catch {
        if (!told.isConnected) {
          document.body.append(told);
          told.textContent = 'The app does not answer. A training goes on without it; this page comes back with the app.';
        }
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
    told.remove();
    away = false;
  });
  setInterval(draw, 1000);
  new MutationObserver(draw).observe(document.body, {childList: true, subtree: true});
  draw();
}
