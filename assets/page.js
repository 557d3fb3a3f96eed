() => {
  // Update elapsed times, and show times of day in the time zone of the browser, without a request to the server.
  const formatDuration = (seconds) => {
    const s = Math.max(0, Math.round(seconds));
    if (s < 60) return `${s} s`;
    const [high, low, units] = s < 3600
      ? [Math.floor(s / 60), s % 60, ['min', 's']] : [Math.floor(s / 3600), Math.floor((s % 3600) / 60), ['h', 'min']];
    return low ? `${high} ${units[0]} ${low} ${units[1]}` : `${high} ${units[0]}`;
  };
  const updateTimes = () => {
    document.querySelectorAll('[data-since]').forEach((node) => {
      const text = formatDuration((Date.now() - Date.parse(node.dataset.since)) / 1000);
      if (node.textContent !== text) node.textContent = text;
    });
    document.querySelectorAll('time[data-local]').forEach((node) => {
      const text = new Date(node.dataset.local).toLocaleString([], {dateStyle: 'medium', timeStyle: 'short'});
      if (node.textContent !== text) node.textContent = text;
    });
  };
  // Scroll to the top of the next step.
  document.addEventListener('click', (event) => {
    if (!event.target.closest('.at-next button')) return;
    setTimeout(() => {
      const steps = [...document.querySelectorAll('.stepper')].find((node) => node.offsetParent);
      if (steps && steps.getBoundingClientRect().top < 0) steps.scrollIntoView({block: 'start'});
    }, 250);
  });
  // Show the detected boxes whose score is at least that of the slider above them.
  document.addEventListener('input', (event) => {
    const slider = event.target.closest('.at-box-threshold input');
    if (!slider) return;
    const threshold = Number(slider.value), boxes = [...slider.closest('.at-boxes').querySelectorAll('[data-score]')];
    boxes.forEach((box) => { box.style.display = Number(box.dataset.score) >= threshold ? '' : 'none'; });
    slider.parentNode.querySelector('output').textContent = threshold.toFixed(2);
    const shown = boxes.filter((box) => !box.style.display).length.toLocaleString('en');
    const count = slider.parentNode.querySelector('small');
    count.textContent = count.textContent.replace(/^[\d,]+/, shown);
  });
  // Keep the open tab in the address, so that a reload opens it again.
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
  // Back and forward: load the page of the address, and forget the stored run, which the address may not name.
  window.addEventListener('popstate', () => {
    localStorage.removeItem('autotrain-gradio-run');
    window.location.reload();
  });
  // The app is unreachable: show a message, poll until it answers, and reload the page if the app was restarted.
  let disconnected = false;
  const isSame = async () => {
    const answer = await fetch(new URL('gradio_api/app_id', document.baseURI), {cache: 'no-store'});
    if (!answer.ok) throw new Error(answer.statusText);
    return String((await answer.json()).app_id) === String(window.gradio_config?.app_id);
  };
  window.addEventListener('autotrain-disconnected', async () => {
    if (disconnected) return;
    disconnected = true;
    const message = document.createElement('div');
    message.className = 'at-disconnected';
    message.setAttribute('role', 'alert');
    for (;;) {
      try {
        if (!(await isSame())) window.location.reload();
        break;
      } catch {
        if (!message.isConnected) {
          document.body.append(message);
          message.textContent = 'The app is not reachable. Running trainings continue; this page reconnects automatically.';
        }
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
    message.remove();
    disconnected = false;
  });
  setInterval(updateTimes, 1000);
  new MutationObserver(updateTimes).observe(document.body, {childList: true, subtree: true});
  updateTimes();
}
