/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only Teams' page knows: which roster entry is ours, from the client's own call object, and
 * the chat, which is read from its list once the chat is open. Runs beside tap.js and dom.js.
 */
const LOOK_MS = 1000;
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

setInterval(() => {
    lookForOwnId();
    openChat();
    readChat();
}, LOOK_MS);
