/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only Teams' page knows: which roster entry and which call is ours, from the client's own call
 * object; the chat, which is read from its list once the chat is open; and who has a tile, and a ring around it
 * while speaking, for when the wire does not tell. Runs beside tap.js, dom.js and people.js.
 */
const LOOK_MS = 1000;
const TILES_MS = 250;
const TILES_AGAIN_MS = 5000; // also when nothing changed
const toldIds = {self: '', call: ''};
let chatOpened = false;

function callObject() {
    const debug = window.callingDebug;
    if (debug && debug.observableCall) {
        return debug.observableCall;
    }
    const calling = window.msteamscalling && window.msteamscalling.deref
        ? window.msteamscalling.deref() : null;
    return calling && calling.callingService ? calling.callingService.getActiveCall() : null;
}

function tellIfNew(type, id) {
    if (typeof id === 'string' && id !== '' && id !== toldIds[type]) {
        toldIds[type] = id;
        tell({type, id});
    }
}

function lookForOwnIds() {
    try {
        const call = callObject();
        tellIfNew('self', call.callerMri);
        tellIfNew('call', call._callId);
    } catch {
        return; // the page's own objects change without notice
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

/* "Myself video, NAME, muted" is the bot's own. */
function isOwnTile(label) {
    return (RULES.purposes.tile_own || []).some((candidate) =>
        candidate.text.some((head) => label.startsWith(head)));
}

/* What the page says of a muted person in the tile's own label. */
function isLabelledMuted(label) {
    return (RULES.purposes.tile_muted_label || []).some((candidate) =>
        candidate.text.some((part) => label.includes(part)));
}

function readTiles() {
    const labelOf = (tile, candidate) => tile.getAttribute(candidate.attribute) || '';
    const isSomebodys = (tile, candidate) => nameOf(labelOf(tile, candidate)) !== '' &&
        !isOwnTile(labelOf(tile, candidate));
    return allOf('tile', isSomebodys).map(({element, candidate}) => ({
        ...namesOf(nameOf(labelOf(element, candidate))),
        speaking: isLit(element, 'tile_ring'),
        muted: isLit(element, 'tile_muted') || isLabelledMuted(labelOf(element, candidate)),
    }));
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
    lookForOwnIds();
    openChat();
    readChat();
}, LOOK_MS);
