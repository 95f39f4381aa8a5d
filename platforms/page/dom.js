/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and works a meeting page by rules that are data (RULES stands above): a purpose has
 * candidates in order, the first that matches wins. Every read is one pass over what was asked for.
 * Texts are compared without regard to case, kinds of apostrophe and runs of blanks. What lies in
 * RULES.exclude (chat) is never read.
 */
const broken = new Set();

function normal(text) {
    return text.replace(/[\u2018\u2019]/g, "'").replace(/[\s\u00a0]+/g, ' ').trim().toLowerCase();
}

for (const candidates of Object.values(RULES.purposes)) {
    for (const candidate of candidates) {
        candidate.wanted = (candidate.text || []).map(normal);
    }
}

function isVisible(element) {
    return element.checkVisibility({visibilityProperty: true, opacityProperty: false});
}

function isExcluded(element) {
    return RULES.exclude !== '' && element.closest(RULES.exclude) !== null;
}

/* The visible text below @root, outside what is excluded. */
function textOf(root) {
    const parts = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, {
        acceptNode(node) {
            if (node.nodeType === Node.TEXT_NODE) {
                return NodeFilter.FILTER_ACCEPT;
            }
            return /^(SCRIPT|STYLE|TEMPLATE|NOSCRIPT)$/.test(node.tagName) || !isVisible(node) ||
                    (RULES.exclude !== '' && node.matches(RULES.exclude))
                ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_SKIP;
        },
    });
    while (walker.nextNode()) {
        parts.push(walker.currentNode.data);
    }
    return normal(parts.join(' '));
}

class Reading {
    constructor() {
        this.texts = new Map();
        this.dialogList = null;
    }

    text(root) {
        let text = this.texts.get(root);
        if (text === undefined) {
            text = textOf(root);
            this.texts.set(root, text);
        }
        return text;
    }

    dialogs() {
        if (this.dialogList === null) {
            this.dialogList = [...document.querySelectorAll(RULES.dialogs)]
                .filter((d) => isVisible(d) && !isExcluded(d))
                .filter((d, i, all) => !all.some((other) => other !== d && other.contains(d)));
        }
        return this.dialogList;
    }

    matches(candidate, element) {
        if (candidate.wanted.length === 0) {
            return true;
        }
        const text = this.text(element);
        switch (candidate.match) {
        case 'exact': return candidate.wanted.includes(text);
        case 'all': return candidate.wanted.every((wanted) => text.includes(wanted));
        default: return candidate.wanted.some((wanted) => text.includes(wanted));
        }
    }

    /* The element that @candidate finds, or null. */
    find(candidate) {
        const roots = candidate.in === 'dialog' ? this.dialogs() : [document.body];
        for (const root of roots) {
            if (root === null) {
                continue;
            }
            const elements = candidate.css ? root.querySelectorAll(candidate.css) : [root];
            for (const element of elements) {
                if ((candidate.hidden || isVisible(element)) && !isExcluded(element) &&
                    this.matches(candidate, element)) {
                    return element;
                }
            }
        }
        return null;
    }

    /* [candidate, element] of the first match of @purpose, or null. */
    first(purpose) {
        for (const candidate of RULES.purposes[purpose]) {
            const element = this.tryFind(purpose, candidate);
            if (element !== null) {
                return [candidate, element];
            }
        }
        return null;
    }

    count(purpose) {
        return RULES.purposes[purpose].filter((c) => this.tryFind(purpose, c) !== null).length;
    }

    tryFind(purpose, candidate) {
        try {
            return this.find(candidate);
        } catch (error) { // a selector from a rules file that this browser does not parse
            const name = purpose + '/' + candidate.id;
            if (!broken.has(name)) {
                broken.add(name);
                warn('bad_rule', name + ': ' + error.message);
            }
            return null;
        }
    }
}

/* What of @purposes shows, how many of @counted, and the texts of open dialogs. */
steno.read = (purposes, counted) => {
    const reading = new Reading();
    const found = {}, counts = {};
    for (const purpose of purposes) {
        const match = reading.first(purpose);
        if (match !== null) {
            found[purpose] = match[0].id;
        }
    }
    for (const purpose of counted) {
        counts[purpose] = reading.count(purpose);
    }
    const dialogs = reading.dialogs().slice(0, 8).map((d) => reading.text(d).slice(0, 300));
    return {url: location.href, ready: document.readyState, found, counts, dialogs};
};

function press(element) {
    const button = element.closest('button, [role="button"], a, input') || element;
    button.click();
}

/* Clicks what @purpose finds, or what its rule says to click in there; returns the rule, or null. */
steno.click = (purpose) => {
    const reading = new Reading();
    const match = reading.first(purpose);
    if (match === null) {
        return null;
    }
    const [candidate, element] = match;
    if (!candidate.click) {
        press(element);
        return candidate.id;
    }
    for (const target of candidate.click) {
        for (const inner of element.querySelectorAll(target.css)) {
            if (isVisible(inner) &&
                (!target.text || target.text.map(normal).includes(reading.text(inner)))) {
                press(inner);
                return candidate.id;
            }
        }
    }
    return null;
};

/* Writes into a field that a script controls: through the native setter, then an input event. */
steno.fill = (purpose, text) => {
    const match = new Reading().first(purpose);
    if (match === null) {
        return null;
    }
    const [candidate, element] = match;
    const prototype = element instanceof HTMLTextAreaElement ? HTMLTextAreaElement.prototype
        : HTMLInputElement.prototype;
    element.focus();
    Object.getOwnPropertyDescriptor(prototype, 'value').set.call(element, text);
    element.dispatchEvent(new InputEvent('input', {bubbles: true, data: text,
                                                   inputType: 'insertText'}));
    element.dispatchEvent(new Event('change', {bubbles: true}));
    return {rule: candidate.id, value: element.value};
};

steno.press_enter = (purpose) => {
    const match = new Reading().first(purpose);
    if (match === null) {
        return null;
    }
    const key = {key: 'Enter', code: 'Enter', keyCode: 13, which: 13, bubbles: true,
                 cancelable: true};
    match[1].dispatchEvent(new KeyboardEvent('keydown', key));
    match[1].dispatchEvent(new KeyboardEvent('keyup', key));
    return match[0].id;
};
