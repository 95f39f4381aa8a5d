/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers for what a platform's page shows of people and of the chat, by rules: which elements are
 * messages, rows and tiles, whose they are, and which of them have a mark. Beside dom.js.
 */
const MAX_TEXT = 4000;
const toldMessages = new Set();

/*
 * What is read here, also where RULES.exclude keeps first() from looking: all elements of a purpose, or
 * what the elements of another have in them: a part, a mark that is lit, an element around or inside
 * them, or words.
 */
const READ_IN_LISTS = {
    tile: {}, person_row: {}, chat_message: {}, people_count: {}, speaking: {}, drawn_video: {},
    speaking_mark: {of: 'tile', as: 'mark'}, tile_ring: {of: 'tile', as: 'mark'},
    tile_muted: {of: 'tile', as: 'mark'}, tile_name: {of: 'tile', as: 'part'},
    tile_number: {of: 'tile', as: 'part'},
    tile_name_tail: {of: 'tile', or: 'person_row', as: 'tail'},
    name_label: {of: 'tile', or: 'chat_author', as: 'tail'}, tile_own: {of: 'tile', as: 'tail'},
    tile_muted_label: {of: 'tile', as: 'tail'},
    chat_author: {of: 'chat_message', as: 'part'}, chat_text: {of: 'chat_message', as: 'part'},
    chat_own: {of: 'chat_message', as: 'words', in: 'chat_author'},
    person_name: {of: 'person_row', as: 'part'}, person_label: {of: 'person_row', as: 'part'},
    person_host: {of: 'person_row', as: 'words', in: 'person_label'},
    person_self: {of: 'person_row', as: 'words', in: 'person_label'},
    person_muted: {of: 'person_row', as: 'words'},
    merged_audio: {of: 'person_row', as: 'near'}, nobody_row: {of: 'person_row', as: 'row'},
    companion_row: {of: 'person_row', as: 'row'},
};

/* The first element that @purpose names inside @element, or null. */
function partOf(element, purpose) {
    for (const candidate of RULES.purposes[purpose] || []) {
        const part = element.querySelector(candidate.css);
        if (part !== null) {
            return part;
        }
    }
    return null;
}

function elementsOf(candidate) {
    return bodies().flatMap((body) => [...body.querySelectorAll(candidate.css)]);
}

/* All elements of the first candidate of @purpose that finds any that @keep likes. */
function allOf(purpose, keep = () => true) {
    for (const candidate of RULES.purposes[purpose] || []) {
        const found = elementsOf(candidate).filter((element) => keep(element, candidate));
        if (found.length > 0) {
            return found.map((element) => ({element, candidate}));
        }
    }
    return [];
}

/* What of @element answers to @candidate, read as @how of READ_IN_LISTS says; null: nothing does. */
function findIn(element, candidate, how, reading) {
    switch (how.as) {
    case 'part': return element.querySelector(candidate.css);
    case 'mark': return isMarked(element, candidate) ? element.querySelector(candidate.css) : null;
    case 'near': return element.closest(candidate.css) || element.querySelector(candidate.css);
    case 'row': return reading.matches(candidate, element) ? element : null;
    case 'tail': {
        const labels = element.getAttributeNames().map((name) => element.getAttribute(name));
        return candidate.text.some((tail) => labels.some((l) => l.indexOf(tail) >= 0)) ? element : null;
    }
    default: {
        const part = how.in ? partOf(element, how.in) : null;
        const text = how.in ? (part === null ? '' : part.innerText)
            : element.getAttribute('aria-label') || '';
        const words = normal(text.replace(/[()]/g, '')).split(',').map(normal);
        return words.some((word) => candidate.wanted.includes(word)) ? element : null;
    }
    }
}

/* All that a candidate of a purpose of READ_IN_LISTS finds. */
function findInLists(purpose, candidate, reading) {
    const how = READ_IN_LISTS[purpose];
    if (how.of === undefined) {
        return elementsOf(candidate);
    }
    return [...allOf(how.of), ...(how.or ? allOf(how.or) : [])]
        .map(({element}) => findIn(element, candidate, how, reading))
        .filter((element) => element !== null);
}

/* The lobby shows the call's controls too. */
function inCall() {
    const reading = new Reading();
    return ['join_button', 'lobby', 'host_absent'].every((p) => reading.first(p) === null) &&
        reading.count('in_call') >= RULES.in_call_min;
}

const OPEN_AGAIN_MS = 5000;
const MAX_OPENINGS = 5; // in vain
let nListOpenings = 0;
let listOpenedMs = -Infinity;

/* The list's button closes it too, so it is pressed only while no row shows, and it is not said to be
 * open. */
function openList() {
    const now = performance.now();
    if (allOf('person_row').length > 0) {
        nListOpenings = 0;
    } else if (nListOpenings < MAX_OPENINGS && now - listOpenedMs > OPEN_AGAIN_MS &&
               !isExpanded('people_button') && steno.click('people_button') !== null) {
        nListOpenings++;
        listOpenedMs = now;
    }
}

/* Tells of messages that it has not told of; in a row by one person, they show the name once. */
function readChat() {
    let from = '', number = '';
    for (const {element} of allOf('chat_message')) {
        const author = partOf(element, 'chat_author');
        const body = partOf(element, 'chat_text') || element;
        const id = element.getAttribute('data-mid') || element.getAttribute('data-id') ||
            element.id || body.id;
        if (author !== null) {
            from = (author.getAttribute('data-name') || author.innerText).trim();
            number = author.getAttribute('data-userid') || '';
        }
        const text = body.innerText.trim().slice(0, MAX_TEXT);
        if (id && text !== '' && !toldMessages.has(id)) {
            toldMessages.add(id);
            const own = (RULES.purposes.chat_own || [])
                .some((candidate) => candidate.wanted.includes(normal(from)));
            tell({type: 'chat', id, from, ...namesOf(from), number, text, own});
        }
    }
}

/* "Alice Martin, video is on, muted, Context menu is available" is Alice Martin. */
function nameOf(label) {
    const tails = (RULES.purposes.tile_name_tail || []).flatMap((candidate) => candidate.text);
    const ends = tails.map((tail) => label.indexOf(tail)).filter((at) => at > 0);
    return label.slice(0, Math.min(label.length, ...ends)).trim();
}

/*
 * A name as the page shows it, and without the label that it may have put behind it: "Jo (External)" is
 * Jo, unless somebody is known by the whole of it.
 */
function namesOf(shown) {
    const labels = (RULES.purposes.name_label || []).flatMap((candidate) => candidate.text);
    const label = labels.find((l) => shown.endsWith(l) && shown.length > l.length) || '';
    return {shown, name: shown.slice(0, shown.length - label.length).trim() || shown};
}

function isMarked(element, candidate) {
    const mark = element.querySelector(candidate.css);
    return mark !== null && Number(getComputedStyle(mark).opacity) > 0.1;
}

/* Whether a mark that @purpose names shows in @element. */
function isLit(element, purpose) {
    return (RULES.purposes[purpose] || []).some((candidate) => isMarked(element, candidate));
}
