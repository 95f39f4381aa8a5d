/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and works a meeting page by rules that are data (RULES stands above): a purpose has
 * candidates in order, the first that matches wins. Every read is one pass over what was asked for.
 * Texts are compared without regard to case, kinds of apostrophe and runs of blanks. What lies in
 * RULES.exclude (chat) is never read.
 */
const broken = new Set();

/* With one kind of apostrophe, and no more than one blank at a time. */
function tidy(text) {
    return text.replace(/[\u2018\u2019]/g, "'").replace(/[\s\u00a0]+/g, ' ').trim();
}

function normal(text) {
    return tidy(text).toLowerCase();
}

for (const candidates of Object.values(RULES.purposes)) {
    for (const candidate of candidates) {
        candidate.wanted = (candidate.text || []).map(normal);
        candidate.names = (candidate.name || []).map(normal);
        candidate.unwanted = (candidate.unless || []).map(normal);
    }
}

function isVisible(element) {
    return element.checkVisibility({visibilityProperty: true, opacityProperty: false});
}

function isExcluded(element) {
    return RULES.exclude !== '' && element.closest(RULES.exclude) !== null;
}

/* The visible text below @root, outside what is excluded, as people read it. */
function visibleText(root) {
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
    return tidy(parts.join(' '));
}

function textOf(root) {
    return normal(visibleText(root));
}

/* What assistive technology calls @element (after accname 1.2, as far as pages need it): the elements
 * that it names as its label, which count also when they are hidden; its own label; what stands in it. */
function accessibleName(element) {
    const labels = (element.getAttribute('aria-labelledby') || '').split(/\s+/)
        .map((id) => id === '' ? null : element.ownerDocument.getElementById(id))
        .filter((label) => label !== null)
        .map((label) => isVisible(label) ? visibleText(label) : tidy(label.textContent));
    const own = ['aria-label', 'alt'].map((key) => tidy(element.getAttribute(key) || ''));
    const around = [...element.labels || []].map((label) => visibleText(label));
    const rest = ['title', 'placeholder'].map((key) => tidy(element.getAttribute(key) || ''));
    return [labels.join(' ').trim(), ...own, around.join(' ').trim()].find((name) => name !== '') ||
        visibleText(element) || rest.find((name) => name !== '') || '';
}

/* How much of @element lies in its page, in CSS pixels: what pages keep out of sight is often laid out
 * left of it or above. */
function sizeInPage(element) {
    const {left, top, right, bottom} = element.getBoundingClientRect();
    const {scrollLeft, scrollTop, scrollWidth, scrollHeight} =
        element.ownerDocument.scrollingElement || element.ownerDocument.documentElement;
    const part = (from, to, scrolled, whole) =>
        Math.min(to + scrolled, whole) - Math.max(from + scrolled, 0);
    return [part(left, right, scrollLeft, scrollWidth), part(top, bottom, scrollTop, scrollHeight)];
}

function isLargeEnough(candidate, element) {
    return !candidate.min_size ||
        sizeInPage(element).every((size, i) => size >= candidate.min_size[i]);
}

function compares(how, wanted, text) {
    switch (how) {
    case 'exact': return wanted.includes(text);
    case 'all': return wanted.every((part) => text.includes(part));
    case 'begins': return wanted.some((part) => text.startsWith(part));
    default: return wanted.some((part) => text.includes(part));
    }
}

/* The page's bodies: its own, and those of frames that it may look into. */
function bodies() {
    const found = document.body === null ? [] : [document.body];
    for (const frame of document.querySelectorAll('iframe')) {
        const inner = frame.contentDocument; // null for another origin's
        if (inner !== null && inner.body !== null && isVisible(frame)) {
            found.push(inner.body);
        }
    }
    return found;
}

class Reading {
    constructor() {
        this.texts = new Map();
        this.dialogList = null;
        this.bodies = bodies();
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
            this.dialogList = this.bodies
                .flatMap((body) => [...body.querySelectorAll(RULES.dialogs)])
                .filter((d) => isVisible(d) && !isExcluded(d))
                .filter((d, i, all) => !all.some((other) => other !== d && other.contains(d)));
        }
        return this.dialogList;
    }

    matches(candidate, element) {
        const {match, wanted, names, unwanted} = candidate;
        return (wanted.length === 0 || compares(match, wanted, this.text(element)) ||
                (match === 'exact' && this.hasPart(element, candidate))) &&
            (names.length === 0 || compares(match, names, normal(accessibleName(element)))) &&
            !(unwanted.length > 0 &&
              compares('contains', unwanted, this.text(element) + ' ' + normal(document.title)));
    }

    /* A button's caption stands beside its icon, whose name is text too. */
    hasPart(element, candidate) {
        return this.text(element).length < 200 &&
            [...element.querySelectorAll('*')].some((part) => part.childElementCount === 0 &&
                candidate.wanted.includes(normal(part.textContent)));
    }

    /* The element that @candidate finds, or null. */
    find(candidate) {
        if (candidate.in === 'title' || candidate.in === 'url') {
            const text = candidate.in === 'title' ? normal(document.title) : location.href;
            return compares(candidate.match, candidate.wanted, text) ? document.head : null;
        }
        const roots = candidate.in === 'dialog' ? this.dialogs() : this.bodies;
        for (const root of roots) {
            const elements = candidate.css ? root.querySelectorAll(candidate.css) : [root];
            for (const element of elements) {
                if ((candidate.hidden || isVisible(element)) &&
                    (candidate.in_excluded || !isExcluded(element)) &&
                    isLargeEnough(candidate, element) && this.matches(candidate, element)) {
                    return element;
                }
            }
        }
        return null;
    }

    /* [candidate, element] of the first match of @purpose, or null. */
    first(purpose) {
        for (const candidate of RULES.purposes[purpose] || []) {
            const element = this.tryFind(purpose, candidate);
            if (element !== null) {
                return [candidate, element];
            }
        }
        return null;
    }

    /* How many candidates show; too few for a call while all of them are the lobby's, too. */
    count(purpose) {
        const shown = RULES.purposes[purpose].filter((c) => this.tryFind(purpose, c) !== null);
        return shown.every((c) => c.lobby_too) ? Math.min(shown.length, RULES.in_call_min - 1)
            : shown.length;
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

/*
 * What of @purposes shows, how many candidates of @counted, and the texts of open dialogs that no
 * purpose of @dialogs knows. Of @otherwise only when none of @counted shows: then no chat does.
 */
steno.read = (purposes, counted, otherwise, dialogs) => {
    const reading = new Reading();
    const found = {};
    const take = (purpose) => {
        const match = reading.first(purpose);
        if (match !== null) {
            found[purpose] = match[0].id;
        }
    };
    purposes.forEach(take);
    const count = counted === null ? 0 : reading.count(counted);
    if (count === 0) {
        otherwise.forEach(take);
    }
    const known = dialogs.map((purpose) => reading.first(purpose)).filter((match) => match)
        .map((match) => match[1]);
    const unknown = reading.dialogs().filter((d) => !known.some((k) => d.contains(k)))
        .slice(0, 4).map((d) => reading.text(d).slice(0, 200));
    return {url: location.href.slice(0, 500), found, count, unknown, unsent: steno.unsent(),
            soundless: steno.soundless()};
};

/* A text field, or an editor made of elements. */
function isField(element) {
    return element.tagName === 'INPUT' || element.tagName === 'TEXTAREA';
}

function contentOf(element) {
    return isField(element) ? element.value : element.innerText.replace(/\n$/, '');
}

function describeAll(elements) {
    if (elements.length === 0) {
        return '-';
    }
    const [element] = elements;
    const id = element.id ? '#' + element.id : '';
    const name = element.tagName === 'BODY' ? visibleText(element) : accessibleName(element);
    return (elements.length > 1 ? elements.length + ' x ' : '') +
        '<' + element.tagName.toLowerCase() + id + '> ' + name.slice(0, 80);
}

/* Every candidate of every purpose and what it finds, read as the page's code reads it, for people who
 * mend the rules. */
steno.table = () => {
    const reading = new Reading();
    return Object.entries(RULES.purposes).flatMap(([purpose, candidates]) =>
        candidates.map((candidate) => {
            let found = '-';
            try {
                found = describeAll(purpose in READ_IN_LISTS ? findInLists(purpose, candidate, reading)
                    : [reading.find(candidate)].filter((element) => element !== null));
            } catch (error) {
                found = 'broken: ' + error.message;
            }
            return {purpose, candidate: candidate.id, found};
        }));
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

/*
 * Makes the field of @purpose the one that keys go to, with its content selected, so that they replace
 * it. Returns {keys: true} for a field that only takes keys, else null.
 */
steno.aim = (purpose) => {
    const match = new Reading().first(purpose);
    if (match === null || !match[0].keys) {
        return null;
    }
    const [candidate, element] = match;
    element.ownerDocument.defaultView.focus();
    element.focus();
    element.select();
    return {rule: candidate.id, keys: true};
};

/* {rule, value} of the field of @purpose, or null. */
steno.content = (purpose) => {
    const match = new Reading().first(purpose);
    return match === null ? null : {rule: match[0].id, value: contentOf(match[1])};
};

/* Presses what leaves, and what asks whether that is meant; returns the first rule, or null. */
steno.leave = async () => {
    const rule = steno.click('leave_button');
    if (rule !== null && (RULES.purposes.leave_confirm || []).length > 0 &&
        await until(() => new Reading().first('leave_confirm'), 500)) {
        steno.click('leave_confirm');
    }
    return rule;
};

/* Writes into a field that a script controls: through the native setter, then an input event; no more
 * than a person could type. */
function setValue(element, text) {
    const realm = element.ownerDocument.defaultView;
    const prototype = element.tagName === 'TEXTAREA' ? realm.HTMLTextAreaElement.prototype
        : realm.HTMLInputElement.prototype;
    const taken = (element.maxLength > 0 ? text.slice(0, element.maxLength) : text)
        .replace(/[\ud800-\udbff]$/, ''); // half a character
    Object.getOwnPropertyDescriptor(prototype, 'value').set.call(element, taken);
    element.dispatchEvent(new InputEvent('input', {bubbles: true, data: taken,
                                                   inputType: 'insertText'}));
    element.dispatchEvent(new Event('change', {bubbles: true}));
}

/* Into an editor made of elements, in place of what it holds. */
function typeLines(element, text) {
    const editor = element.ownerDocument;
    editor.getSelection().selectAllChildren(element);
    text.split('\n').forEach((line, i) => {
        if (i > 0) {
            editor.execCommand('insertLineBreak');
        }
        editor.execCommand('insertText', false, line);
    });
}

/* Writes into a field; returns {rule, value}: what it holds then, or null without a field. */
steno.fill = (purpose, text) => {
    const match = new Reading().first(purpose);
    if (match === null) {
        return null;
    }
    const [candidate, element] = match;
    element.focus();
    if (isField(element)) {
        setValue(element, text);
    } else {
        typeLines(element, text);
    }
    return {rule: candidate.id, value: contentOf(element)};
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

function until(condition, ms) {
    return new Promise((resolve) => {
        const end = performance.now() + ms;
        const look = () => {
            const value = condition();
            if (value || performance.now() > end) {
                resolve(value);
            } else {
                setTimeout(look, 50);
            }
        };
        look();
    });
}

/*
 * Presses the control of the last of @purposes; where it does not show, those before it, one after
 * the other, open what holds it. Returns the rule, or null.
 */
steno.walk_menu = async (purposes) => {
    const last = purposes[purposes.length - 1];
    const shows = (purpose) => new Reading().first(purpose) !== null;
    for (const purpose of purposes.slice(0, -1)) {
        if (shows(last)) {
            break;
        }
        if (shows(purpose)) {
            steno.click(purpose);
            await until(() => shows(last) || purposes.some((p) => p !== purpose && shows(p)), 1500);
        }
    }
    await until(() => shows(last), 1500);
    return steno.click(last);
};

/* Turns the pictures of others off with the page's own control, unless it says that they are;
 * returns the rule, or null. */
steno.turn_video_off = async () => {
    const off = await until(() => new Reading().first('video_is_off'), 2000);
    if (off) {
        return off[0].id;
    }
    const rule = await steno.walk_menu(['menu_button', 'video_off_item', 'video_off_tab',
                                        'video_off_button']);
    if (await until(() => new Reading().first('video_off_close'), rule === null ? 0 : 500)) {
        steno.click('video_off_close');
    }
    return rule;
};

/* Whether the button that @purpose finds says that what it opens is open. */
function isExpanded(purpose) {
    const match = new Reading().first(purpose);
    return match !== null && match[1].getAttribute('aria-expanded') === 'true';
}

const CHAT_OPENS_MS = 15000;
let chatClickedMs = -Infinity; // and the chat has not shown since
let chatUsedMs = -Infinity;

/* Presses the chat's button unless the chat is open or may still be opening: the button closes it, too.
 * False when there is no button to press. */
function openChatPane() {
    const now = performance.now();
    chatUsedMs = now;
    if (new Reading().first('chat_input') !== null) {
        chatClickedMs = -Infinity;
        return true;
    }
    if (now - chatClickedMs < CHAT_OPENS_MS || isExpanded('chat_button')) {
        return true;
    }
    chatClickedMs = now;
    if (steno.click('chat_button') !== null) {
        return true;
    }
    chatClickedMs = -Infinity;
    return false;
}

/* A text as its reader sees it: what stands between words is one blank, as an editor may keep it. */
function asRead(text) {
    return text.replace(/[\u200b\u2060\ufeff]/g, '').replace(/[\s\u0000-\u001f]+/g, ' ').trim()
        .normalize('NFC');
}

function emptyField(element) {
    if (isField(element)) {
        setValue(element, '');
    } else {
        element.ownerDocument.getSelection().selectAllChildren(element);
        element.ownerDocument.execCommand('delete');
    }
}

/* Presses what sends the chat's field, which then is empty; null, or what went wrong. */
async function submitChat(field) {
    const sendable = () => {
        const match = new Reading().first('chat_send');
        return match !== null && !match[1].disabled &&
            match[1].getAttribute('aria-disabled') !== 'true' ? match : null;
    };
    if (!await until(sendable, 1000) || steno.click('chat_send') === null) {
        steno.press_enter('chat_input');
    }
    const content = () => contentOf((new Reading().first('chat_input') || [null, field])[1]);
    return await until(() => asRead(content()) === '', 4000) ? null : 'the chat field did not empty';
}

/*
 * One try: opens the chat if need be, writes @text and sends it. Returns null, or what went wrong; or
 * {limit} when the field takes no more than that. What was not sent does not stay in the field.
 */
steno.send_chat = async (text) => {
    if (!openChatPane()) {
        return 'no chat button shows';
    }
    const match = await until(() => new Reading().first('chat_input'), 2000);
    if (!match) {
        return 'the chat did not open';
    }
    chatClickedMs = -Infinity;
    const field = match[1];
    if (field.maxLength > 0 && text.length > field.maxLength) {
        return {limit: field.maxLength};
    }
    const {value} = steno.fill('chat_input', text) || {value: ''};
    const problem = asRead(value) === asRead(text) ? await submitChat(field)
        : 'the chat field did not take the text';
    chatUsedMs = performance.now();
    if (problem !== null) {
        emptyField((new Reading().first('chat_input') || match)[1]);
    }
    return problem;
};
