/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only Teams' page knows: which roster entry is ours, from the client's own call object; the
 * chat, which is read from its list once the chat is open; and who has a tile, and a ring around it
 * while speaking, for when the wire does not tell. Runs beside tap.js, dom.js and people.js.
 */
const LOOK_MS = 1000;
const TILES_MS = 250;
const TILES_AGAIN_MS = 5000; // also when nothing changed
let ownId = null;
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

/* Without its pane open, the page gets no messages. */
function openChat() {
    const reading = new Reading();
    if (chatOpened || reading.count('in_call') < 3 || reading.first('join_button') !== null) {
        return;
    }
    chatOpened = true;
    openChatPane();
}

function readTiles() {
    const nameIn = (tile, candidate) => nameOf(tile.getAttribute(candidate.attribute) || '');
    const isNamed = (tile, candidate) => nameIn(tile, candidate) !== '';
    return allOf('tile', isNamed).map(({element, candidate}) => ({
        name: nameIn(element, candidate),
        speaking: isLit(element, 'tile_ring'),
        muted: isLit(element, 'tile_muted'),
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
    lookForOwnId();
    openChat();
    readChat();
}, LOOK_MS);
