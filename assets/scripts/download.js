(url) => {
  // Event: download a file of the app.
  if (!url) return;
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}
