'use strict';

// Only in the pages that `docs serve` builds: waits for the next book, and shows why there is none.
{
    let edition = null;
    let box = null;
    const news = new EventSource('/live-reload');
    news.addEventListener('book', event => {
        if (edition !== null && edition !== event.data) {
            location.reload();
        }
        edition = event.data;
    });
    news.addEventListener('failed', event => {
        box ??= document.body.appendChild(document.createElement('pre'));
        box.id = 'build-error';
        box.setAttribute('role', 'alert');
        box.textContent = event.data;
    });
    window.addEventListener('pagehide', () => news.close());
}
