'use strict';

// Only in the pages that `docs serve` builds: waits for the next book, and shows why there is none.
{
    let edition = null;
    let box = null;
    let news = null;

    const told = event => {
        if (edition !== null && edition !== event.data) {
            location.reload();
        }
        edition = event.data;
    };
    const failed = event => {
        box ??= document.body.appendChild(document.createElement('pre'));
        box.id = 'build-error';
        box.setAttribute('role', 'alert');
        box.textContent = event.data;
    };
    const end = () => {
        news?.close();
        news = null;
    };
    // Only a page that is seen: a browser has six connections to a server, and each page that
    // listens holds one. Who comes back is told at once which book there is.
    const listen = () => {
        if (document.visibilityState === 'hidden') {
            end();
        } else if (!news) {
            news = new EventSource('/live-reload');
            news.addEventListener('book', told);
            news.addEventListener('failed', failed);
        }
    };
    document.addEventListener('visibilitychange', listen);
    window.addEventListener('pageshow', listen);
    window.addEventListener('pagehide', end);
    listen();
}
