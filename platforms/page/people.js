/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers for what a platform's page shows of people and of the chat, by rules: which elements are
 * messages, rows and tiles, whose they are, and which of them have a mark. Beside dom.js.
 */
const MAX_TEXT = 4000;
const toldMessages = new Set();

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

/* All elements of the first candidate of @purpose that finds any that @keep likes. */
function allOf(purpose, keep = () => true) {
    for (const candidate of RULES.purposes[purpose] || []) {
        const found = bodies().flatMap((body) => [...body.querySelectorAll(candidate.css)])
            .filter((element) => keep(element, candidate));
        if (found.length > 0) {
            return found.map((element) => ({element, candidate}));
        }
    }
    return [];
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

/* The list's button closes it too, so it is pressed only while no row shows. */
function openList() {
    const now = performance.now();
    if (allOf('person_row').length > 0) {
        nListOpenings = 0;
    } else if (nListOpenings < MAX_OPENINGS && now - listOpenedMs > OPEN_AGAIN_MS &&
               steno.click('people_button') !== null) {
        nListOpenings++;
        listOpenedMs = now;
    }
}

/* Tells of messages that it has not told of; in a row by one person, they show the name once. */
function readChat() {
    let from = '';
    for (const {element} of allOf('chat_message')) {
        const author = partOf(element, 'chat_author');
        const body = partOf(element, 'chat_text') || element;
        const id = element.getAttribute('data-mid') || element.id || body.id;
        from = author !== null ? author.innerText.trim() : from;
        const text = body.innerText.trim().slice(0, MAX_TEXT);
        if (id && text !== '' && !toldMessages.has(id)) {
            toldMessages.add(id);
            const own = (RULES.purposes.chat_own || [])
                .some((candidate) => candidate.wanted.includes(normal(from)));
            tell({type: 'chat', id, from, text, own});
        }
    }
}

/* "Alice Martin, video is on, muted, Context menu is available" is Alice Martin. */
function nameOf(label) {
    const tails = (RULES.purposes.tile_name_tail || []).flatMap((candidate) => candidate.text);
    const ends = tails.map((tail) => label.indexOf(tail)).filter((at) => at > 0);
    return label.slice(0, Math.min(label.length, ...ends)).trim();
}

/* Whether a mark that @purpose names shows in @element. */
function isLit(element, purpose) {
    return (RULES.purposes[purpose] || []).some((candidate) => {
        const mark = element.querySelector(candidate.css);
        return mark !== null && Number(getComputedStyle(mark).opacity) > 0.1;
    });
}
