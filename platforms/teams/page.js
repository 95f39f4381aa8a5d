/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only Teams' page knows: which roster entry is ours, from the client's own call object; the
 * chat, which is read from its list once the chat is open; and who has a tile, and a ring around it
 * while speaking, for when the wire does not tell. Runs beside tap.js and dom.js.
 */
const LOOK_MS = 1000;
const TILES_MS = 250;
const TILES_AGAIN_MS = 5000; // also when nothing changed
const MAX_TEXT = 4000;
let ownId = null;
let chatOpened = false;
const toldMessages = new Set();

function callObject() {
    const debug = window.callingDebug;
    if (debug && debug.observableCall) {
        return debug.observableCall;
    }
    const calling = window.msteamscalling && window.msteamscalling.deref
        ? window.msteamscalling.deref() : null;
    return calling && calling.callingService ? calling.callingService.getActiveCall() : null;
}

function lookForOwnId() {
    let id = null;
    try {
        id = callObject().callerMri;
    } catch {
        return; // the page's own objects change without notice
    }
    if (typeof id === 'string' && id !== ownId) {
        ownId = id;
        tell({type: 'self', id});
    }
}

function partOf(message, purpose) {
    for (const candidate of RULES.purposes[purpose] || []) {
        const part = message.querySelector(candidate.css);
        if (part !== null) {
            return part;
        }
    }
    return null;
}

/* Messages in a row by one person show the name once. */
function readChat() {
    let from = '';
    for (const candidate of RULES.purposes.chat_message || []) {
        for (const message of bodies().flatMap((b) => [...b.querySelectorAll(candidate.css)])) {
            const author = partOf(message, 'chat_author');
            const body = partOf(message, 'chat_text') || message;
            const id = message.getAttribute('data-mid') || body.id || message.id;
            from = author !== null ? author.innerText.trim() : from;
            const text = body.innerText.trim().slice(0, MAX_TEXT);
            if (id && text !== '' && !toldMessages.has(id)) {
                toldMessages.add(id);
                tell({type: 'chat', id, from, text});
            }
        }
        if (toldMessages.size > 0) {
            return; // this candidate is what this page calls a message
        }
    }
}

/* Without its pane open, the page gets no messages. */
function openChat() {
    const reading = new Reading();
    if (chatOpened || reading.count('in_call') < 3 || reading.first('join_button') !== null) {
        return;
    }
    chatOpened = true;
    openChatPane();
}

/* "Alice Martin, video is on, muted, Context menu is available" is Alice Martin. */
function nameOf(label) {
    const tails = (RULES.purposes.tile_name_tail || []).flatMap((candidate) => candidate.text);
    const ends = tails.map((tail) => label.indexOf(tail)).filter((at) => at > 0);
    return label.slice(0, Math.min(label.length, ...ends)).trim();
}

function isLit(tile, purpose) {
    return (RULES.purposes[purpose] || []).some((candidate) => {
        const mark = tile.querySelector(candidate.css);
        return mark !== null && Number(getComputedStyle(mark).opacity) > 0.5;
    });
}

function readTiles() {
    for (const candidate of RULES.purposes.tile || []) {
        const tiles = bodies().flatMap((body) => [...body.querySelectorAll(candidate.css)]);
        const people = tiles.map((tile) => ({
            name: nameOf(tile.getAttribute(candidate.attribute) || ''),
            speaking: isLit(tile, 'tile_ring'),
            muted: isLit(tile, 'tile_muted'),
        })).filter((person) => person.name !== '');
        if (people.length > 0) {
            return people;
        }
    }
    return [];
}

let toldTiles = '';
let toldTilesMs = -Infinity;

setInterval(() => {
    const json = JSON.stringify(readTiles());
    if (json !== toldTiles || performance.now() - toldTilesMs > TILES_AGAIN_MS) {
        toldTiles = json;
        toldTilesMs = performance.now();
        if (json !== '[]') {
            tell({type: 'tiles', people: JSON.parse(json)});
        }
    }
}, TILES_MS);

setInterval(() => {
    lookForOwnId();
    openChat();
    readChat();
}, LOOK_MS);
