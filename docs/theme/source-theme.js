'use strict';
{
    let theme = null;
    try { theme = localStorage.getItem('mdbook-theme'); } catch { /* a file opened from a disk */ }
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    document.documentElement.className = theme || (dark ? 'navy' : 'light');
}
