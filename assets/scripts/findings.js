// Component: a click on the fix of a finding triggers `click` with the number of the finding.
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-fix]');
  if (button) trigger('click', {fix: Number(button.dataset.fix)});
});
