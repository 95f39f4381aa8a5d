/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only Meet's page knows: its own preference for incoming video, kept in the page's storage and
 * set here before its scripts read it (where the page does not follow it, the settings dialog is
 * used); who of the list of people shares one sound, or is there with a second device; and, where the
 * page decodes sound itself, so that no packet names who speaks, whose tiles have a mark. Runs beside
 * tap.js, dom.js and people.js.
 */
function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}

/* An array in an array, stringified twice; what else is in there stays. */
function preferAudioOnly() {
    const kept = parsed(parsed(localStorage.getItem('meet-preferences')));
    const preferences = Array.isArray(kept) ? kept : [];
    const call = Array.isArray(preferences[8]) ? preferences[8] : [];
    call[5] = 1;
    const whole = (array) => Array.from(array, (value) => value === undefined ? null : value);
    preferences[8] = whole(call);
    localStorage.setItem('meet-preferences', JSON.stringify(JSON.stringify(whole(preferences))));
}

if (!CONFIG.video && location.protocol === 'https:') {
    try {
        preferAudioOnly();
    } catch (error) { // storage may be denied to frames of other origins
        warn('incoming_video', 'the preference could not be set: ' + error.message);
    }
}

const SPEAKERS_MS = 100;
const TOLD_MS = 1000; // while the packets say who speaks
let toldSpeaking = '[]';

function lookWhoSpeaks() {
    const isTold = [...taps.values()].some((tap) => tap.kind === 'audio' && tap.nTapped > 0);
    const ids = isTold ? [] : allOf('tile')
        .filter(({element}) => isLit(element, 'speaking_mark'))
        .map(({element, candidate}) => element.getAttribute(candidate.attribute) || '');
    const json = JSON.stringify(ids);
    if (json !== toldSpeaking) {
        toldSpeaking = json;
        tell({type: 'speaking', ids});
    }
    setTimeout(lookWhoSpeaks, isTold ? TOLD_MS : SPEAKERS_MS);
}
setTimeout(lookWhoSpeaks, SPEAKERS_MS);

const LIST_MS = 500;
const LIST_AGAIN_MS = 5000; // also when nothing changed: a row may come before its device
const CHAT_MS = 10000; // the chat takes the list's place
const MAX_ROWS = 1000;
let seenRows = '';
let toldRows = '';
let toldRowsMs = -Infinity;

/* Rows belong together that have one value of an attribute, on themselves, around or inside them, or
 * that lie in one element or each hold one that says so. */
function groupOf(row) {
    for (const candidate of RULES.purposes.merged_audio || []) {
        const around = row.closest(candidate.css);
        const mark = around || row.querySelector(candidate.css);
        if (mark !== null && candidate.attribute) {
            return mark.getAttribute(candidate.attribute) || candidate.id;
        }
        if (mark !== null) {
            const all = [...row.ownerDocument.querySelectorAll(candidate.css)];
            return candidate.id + (around === null ? '' : '/' + all.indexOf(around));
        }
    }
    return '';
}

function says(reading, row, purpose) {
    return (RULES.purposes[purpose] || []).some((candidate) => reading.matches(candidate, row));
}

/* Only rows that tell something: a group, or a second device. */
function readList() {
    const reading = new Reading();
    return allOf('person_row').slice(0, MAX_ROWS).map(({element, candidate}) => ({
        device: element.getAttribute(candidate.attribute) || '',
        name: (element.getAttribute('aria-label') || '').trim(),
        group: says(reading, element, 'nobody_row') ? '' : groupOf(element),
        companion: says(reading, element, 'companion_row'),
    })).filter((row) => row.group !== '' || row.companion);
}

/* What is seen twice is told: rows come and go one after the other. */
function tellList() {
    const json = JSON.stringify(readList());
    const isNews = json !== toldRows ||
        (json !== '[]' && performance.now() - toldRowsMs > LIST_AGAIN_MS);
    if (json === seenRows && isNews) {
        toldRows = json;
        toldRowsMs = performance.now();
        tell({type: 'list', rows: JSON.parse(json)});
    }
    seenRows = json;
}

setInterval(() => {
    if (inCall() && performance.now() - chatUsedMs > CHAT_MS) {
        openList();
        if (allOf('person_row').length > 0) {
            tellList();
        }
    }
}, LIST_MS);
