// Component: choosing the kind of a column triggers `submit` with `{column, kind}`.
element.addEventListener('change', (event) => {
  const field = event.target.closest('select[data-column]');
  if (field) trigger('submit', {column: Number(field.dataset.column), kind: field.value});
});
