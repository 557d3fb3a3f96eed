// Component: a click on an action of a run triggers `click` with `{action, run}`; deleting asks for a second click.
const CONFIRM_MS = 5000;
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-action]');
  if (!button) return;
  if (button.dataset.action === 'delete' && !button.dataset.confirm) {
    button.dataset.confirm = 'yes';
    button.textContent = 'Delete permanently?';
    setTimeout(() => { delete button.dataset.confirm; button.textContent = 'Delete'; }, CONFIRM_MS);
    return;
  }
  trigger('click', {action: button.dataset.action, run: button.dataset.run});
});
