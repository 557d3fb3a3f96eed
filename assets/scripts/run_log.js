// Component: appends what is new of the log of the run whose id is its value, and keeps the scroll position.
const MAX_CHARACTERS = 400000, POLL_MS = 1000;
let run = null, offset = 0, busy = false;
const poll = async () => {
  const pre = element.querySelector('pre');
  if (!pre || busy || document.hidden || pre.offsetParent === null) return;
  const wanted = props.value || '';
  if (wanted !== run) { run = wanted; offset = null; pre.textContent = ''; }
  if (!run) return;
  busy = true;
  try {
    const part = await server.tail({run: run, offset: offset});
    if (!part || props.value !== run) return;
    if (offset !== null && part.size < offset) { offset = null; pre.textContent = ''; return; }
    offset = part.offset;
    if (part.text) {
      const atEnd = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 40;
      pre.append(document.createTextNode(part.text));
      while (pre.childNodes.length > 1 && pre.textContent.length > MAX_CHARACTERS) pre.firstChild.remove();
      if (atEnd) pre.scrollTop = pre.scrollHeight;
    } else if (!pre.childNodes.length) {
      pre.dataset.empty = 'yes';
    }
    if (pre.childNodes.length) delete pre.dataset.empty;
  } catch (error) {
    // The server is unreachable: the page says so, and the next poll tries again.
  } finally { busy = false; }
};
const timer = setInterval(() => { if (element.isConnected) poll(); else clearInterval(timer); }, POLL_MS);
poll();
