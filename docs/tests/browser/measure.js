// What a test asks of a page; each function returns the mistakes that it finds, as texts.

const text = element => `<${element.localName}> ${element.textContent.trim().slice(0, 40)}`;
const spreads = () => [...document.querySelectorAll('.spread')];
const parts = spread => [spread.querySelector('.prose'), spread.querySelector('figure.listing')];

/** How many characters of ordinary text fit into a width. */
const characters = width => {
    const sample = document.createElement('span');
    sample.textContent = 'a loop takes turns and each turn is the same six steps in the same order ';
    sample.style.cssText = 'position:absolute;white-space:pre;visibility:hidden';
    document.querySelector('main').append(sample);
    const one = sample.getBoundingClientRect().width / sample.textContent.length;
    sample.remove();
    return width / one;
};

const measure = {
    beside() {
        return spreads().flatMap(spread => {
            const [prose, listing] = parts(spread).map(part => part.getBoundingClientRect());
            const mistakes = [];
            if (listing.left < prose.right) {
                mistakes.push(`not beside its prose: ${text(spread)}`);
            }
            if (listing.width < 580) {
                mistakes.push(`a listing of ${listing.width} px: ${text(spread)}`);
            }
            const wide = characters(prose.width);
            if (wide < 58 || wide > 78) {
                mistakes.push(`prose of ${Math.round(wide)} characters: ${text(spread)}`);
            }
            return mistakes;
        });
    },

    stacked() {
        return spreads().flatMap(spread => {
            const [prose, listing] = parts(spread).map(part => part.getBoundingClientRect());
            const isAbove = prose.height === 0 || listing.bottom <= prose.top;
            return isAbove && Math.abs(listing.left - prose.left) < 2
                ? [] : [`not above its prose: ${text(spread)}`];
        });
    },

    overflow() {
        const width = document.documentElement.clientWidth;
        const page = document.documentElement.scrollWidth;
        const mistakes = page > width ? [`the page is ${page} px wide, in ${width}`] : [];
        const scrolls = element => {
            for (let e = element; e && e !== document.body; e = e.parentElement) {
                const style = getComputedStyle(e);
                if (style.overflowX === 'auto' || style.overflowX === 'scroll') {
                    return true;
                }
            }
            return false;
        };
        for (const element of document.querySelectorAll('main *')) {
            const box = element.getBoundingClientRect();
            if (box.width > 0 && box.right > width + 1 && !scrolls(element)
                && !element.closest('svg') && mistakes.length < 5) {
                mistakes.push(`goes to ${Math.round(box.right)} of ${width}: ${text(element)}`);
            }
        }
        return mistakes;
    },

    contrast() {
        const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const parse = color => {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data];
        };
        const light = rgb => {
            const [r, g, b] = rgb.slice(0, 3).map(value => {
                const part = value / 255;
                return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const background = element => {
            for (let e = element; e; e = e.parentElement) {
                const color = parse(getComputedStyle(e).backgroundColor);
                if (color[3] > 127) {
                    return color;
                }
            }
            return [255, 255, 255, 255];
        };
        const mistakes = [];
        const seen = new Set();
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode() && mistakes.length < 5) {
            const element = walker.currentNode.parentElement;
            // What a drawing's words stand on is another shape; its colours are checked otherwise.
            if (!walker.currentNode.data.trim() || !element.checkVisibility()
                || element.closest('script, style, noscript, svg, .sidebar, #mdbook-help-container')) {
                continue;
            }
            const style = getComputedStyle(element);
            const key = `${element.localName} ${element.className} ${style.color}`;
            if (seen.has(key)) {
                continue;
            }
            seen.add(key);
            const [one, other] = [parse(style.color), background(element)].map(light);
            const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
            const size = parseFloat(style.fontSize);
            const isLarge = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
            if (contrast < (isLarge ? 3 : 4.5)) {
                mistakes.push(`contrast ${contrast.toFixed(2)}: ${text(element)}`);
            }
        }
        return mistakes;
    },

    strangers() {
        return performance.getEntriesByType('resource')
            .map(entry => entry.name)
            .filter(name => !name.startsWith(location.origin) && !name.startsWith('data:'))
            .map(name => `asks another host: ${name}`);
    },
};
