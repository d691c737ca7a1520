'use strict';

// Not named book.js: a theme's file of that name takes the place of mdBook's own.
//
// What the pages do by themselves: lines that the prose speaks of, and buttons that copy.
// Without it every link still leads where it says.
{
    const wide = matchMedia('(min-width: 1200px)');

    /** The lines that a link means, if it means lines. */
    const linesOf = link => document.getElementById(decodeURIComponent(link.hash.slice(1)));

    let pinned = null;

    const light = link => {
        for (const lit of document.querySelectorAll('.lit')) {
            lit.classList.remove('lit');
        }
        if (link) {
            const lines = linesOf(link);
            link.classList.add('lit');
            if (lines) {
                lines.classList.add('lit');
                reveal(lines);
            }
        }
    };

    /** Scrolls a listing that is higher than the window, and nothing else. */
    const reveal = lines => {
        const figure = lines.closest('figure');
        if (wide.matches && figure) {
            const box = lines.getBoundingClientRect();
            if (box.bottom < 0 || box.top > innerHeight) {
                lines.scrollIntoView({ block: 'nearest' });
            }
        }
    };

    for (const link of document.querySelectorAll('main a[href^="#lines-"]')) {
        link.addEventListener('mouseenter', () => light(link));
        link.addEventListener('focus', () => light(link));
        link.addEventListener('mouseleave', () => light(pinned));
        link.addEventListener('blur', () => light(pinned));
        link.addEventListener('click', event => {
            pinned = pinned === link ? null : link;
            // On a narrow screen the listing is elsewhere, and the reader wants to go there.
            const beside = link.closest('.spread')?.contains(linesOf(link));
            if (wide.matches && beside) {
                event.preventDefault();
                light(pinned);
            }
        });
    }
    document.addEventListener('keydown', event => {
        if (event.key === 'Escape' && pinned) {
            pinned = null;
            light(null);
        }
    });

    for (const figure of document.querySelectorAll('figure.listing, figure.run, figure.transcript')) {
        const caption = figure.querySelector('figcaption');
        const code = figure.querySelector('code');
        if (!caption || !code || !navigator.clipboard) {
            continue;
        }
        const button = document.createElement('button');
        button.type = 'button';
        button.className = 'copy';
        button.textContent = 'Copy';
        button.addEventListener('click', async () => {
            try {
                await navigator.clipboard.writeText(code.textContent);
                button.textContent = 'Copied';
            } catch {
                button.textContent = 'Not allowed';
            }
            setTimeout(() => { button.textContent = 'Copy'; }, 2000);
        });
        caption.append(button);
    }

    const dark = document.getElementById('mdbook-theme-navy');
    if (dark) {
        dark.textContent = 'Dark';
    }

    // Where the table of contents lies on the page, a click beside it closes it.
    const toggle = document.getElementById('mdbook-sidebar-toggle-anchor');
    document.getElementById('mdbook-content')?.addEventListener('click', () => {
        if (toggle?.checked && innerWidth < 1800) {
            toggle.click();
        }
    });
}
