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
        if (candidate.wanted.length === 0) {
            return true;
        }
        const text = this.text(element);
        switch (candidate.match) {
        case 'exact': return candidate.wanted.includes(text) || this.hasPart(element, candidate);
        case 'all': return candidate.wanted.every((wanted) => text.includes(wanted));
        default: return candidate.wanted.some((wanted) => text.includes(wanted));
        }
    }

    /* A button's caption stands beside its icon, whose name is text too. */
    hasPart(element, candidate) {
        return this.text(element).length < 200 &&
            [...element.querySelectorAll('*')].some((part) => part.childElementCount === 0 &&
                candidate.wanted.includes(normal(part.textContent)));
    }

    /* The element that @candidate finds, or null. */
    find(candidate) {
        if (candidate.in === 'title') {
            const title = normal(document.title);
            return candidate.wanted.some((wanted) => title.includes(wanted)) ? document.head : null;
        }
        const roots = candidate.in === 'dialog' ? this.dialogs() : this.bodies;
        for (const root of roots) {
            const elements = candidate.css ? root.querySelectorAll(candidate.css) : [root];
            for (const element of elements) {
                if ((candidate.hidden || isVisible(element)) &&
                    (candidate.in_excluded || !isExcluded(element)) &&
                    this.matches(candidate, element)) {
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
    return {url: location.href.slice(0, 500), found, count, unknown, unsent: steno.unsent()};
};

/* A text field, or an editor made of elements. */
function isField(element) {
    return element.tagName === 'INPUT' || element.tagName === 'TEXTAREA';
}

function contentOf(element) {
    return isField(element) ? element.value : element.innerText.replace(/\n$/, '');
}

function describe(element) {
    const id = element.id ? '#' + element.id : '';
    const label = element.getAttribute('aria-label') || textOf(element);
    return '<' + element.tagName.toLowerCase() + id + '> ' + label.slice(0, 80);
}

/* Every candidate of every purpose and what it finds, for people who mend the rules. */
steno.table = () => {
    const reading = new Reading();
    return Object.entries(RULES.purposes).flatMap(([purpose, candidates]) =>
        candidates.map((candidate) => {
            let found = '-';
            try {
                const element = reading.find(candidate);
                found = element === null ? '-' : describe(element);
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

/* Writes into a field that a script controls: through the native setter, then an input event. */
steno.fill = (purpose, text) => {
    const match = new Reading().first(purpose);
    if (match === null) {
        return null;
    }
    const [candidate, element] = match;
    element.focus();
    if (!isField(element)) {
        const editor = element.ownerDocument;
        editor.getSelection().selectAllChildren(element);
        editor.execCommand('insertText', false, text);
        return {rule: candidate.id, value: contentOf(element)};
    }
    const realm = element.ownerDocument.defaultView;
    const prototype = element.tagName === 'TEXTAREA' ? realm.HTMLTextAreaElement.prototype
        : realm.HTMLInputElement.prototype;
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

let chatClickedMs = -Infinity;

/* Presses the chat's button unless the chat is open, or was only just asked to. */
function openChatPane() {
    if (new Reading().first('chat_input') !== null || performance.now() - chatClickedMs < 3000) {
        return true;
    }
    chatClickedMs = performance.now();
    return steno.click('chat_button') !== null;
}

/* Opens the chat if need be, writes @text and sends it; returns null, or what went wrong. */
steno.send_chat = async (text) => {
    const input = () => new Reading().first('chat_input');
    if (!openChatPane()) {
        return 'no chat button shows';
    }
    if (!await until(input, 3000)) {
        return 'the chat did not open';
    }
    if (steno.fill('chat_input', text).value !== text) {
        return 'the chat field did not take the text';
    }
    const field = input()[1];
    const sendable = () => {
        const match = new Reading().first('chat_send');
        return match !== null && !match[1].disabled ? match : null;
    };
    if (!await until(sendable, 1000) || steno.click('chat_send') === null) {
        steno.press_enter('chat_input');
    }
    return await until(() => contentOf(field).trim() === '', 2000) ? null : 'the chat field did not empty';
};
