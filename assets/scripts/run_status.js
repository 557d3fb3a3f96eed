// Component: polls the text of the run whose id is its value. Triggers `change` when more than the text has changed, and
// `input` when there are new points to plot. The template has the intervals as data attributes, and the header that a
// run has until its first status has arrived.
let run = null, version = null, key = null, plotted = null, plottedAt = 0, next = 0, busy = false, ended = false;
const parts = {};
// Not from `props`: a component that an event shows for the first time has only what the event has set.
const {pollMs, chartMs, endedMs, retryMs, opening} = element.querySelector('.at-run-live').dataset;
const reset = () => {
  version = key = plotted = null; plottedAt = 0; next = 0; ended = false;
  for (const name in parts) delete parts[name];
  element.querySelectorAll('[data-part]').forEach((node) => {
    node.innerHTML = run && node.dataset.part === 'header' ? opening : '';
  });
};
const poll = async () => {
  const wanted = props.value || null;
  if (wanted !== run) { run = wanted; reset(); }
  const now = Date.now();
  if (!run || busy || document.hidden || element.offsetParent === null || now < next) return;
  busy = true;
  try {
    const answer = await server.status({run: run, since: version});
    if ((props.value || null) !== run) return;
    if (!answer || typeof answer !== 'object') throw new Error('no answer');
    if (!answer.unchanged) {
      version = answer.version; ended = answer.ended;
      for (const name in answer.parts) {
        if (parts[name] === answer.parts[name]) continue;
        parts[name] = answer.parts[name];
        const node = element.querySelector(`[data-part="${name}"]`);
        if (node) node.innerHTML = answer.parts[name];
      }
      if (answer.key !== key) {
        key = answer.key; plottedAt = now; trigger('change');
        // The browser may skip the last points if they arrive with many other updates: request them once more.
        if (ended) next = now + Number(retryMs); else plotted = version;
        return;
      }
    }
    if (plotted !== version && (ended || now - plottedAt >= Number(chartMs))) {
      plotted = version; plottedAt = now; trigger('input');
    }
    next = now + (ended && plotted === version ? Number(endedMs) : 0);
  } catch (error) {
    window.dispatchEvent(new CustomEvent('autotrain-disconnected'));
    next = now + 2000;
  } finally { busy = false; }
};
const timer = setInterval(() => { if (element.isConnected) poll(); else clearInterval(timer); }, Number(pollMs));
watch('value', poll);
poll();
