'use strict';
{
    let theme = null;
    try { theme = localStorage.getItem('mdbook-theme'); } catch { /* a file opened from a disk */ }
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    // mdBook's colours are the light ones for a page without "js", whatever else it says.
    document.documentElement.className = `js ${theme || (dark ? 'navy' : 'light')}`;
}
