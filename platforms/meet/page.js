/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only Meet's page knows: its own preference for incoming video, kept in the page's storage and
 * set here before its scripts read it (where the page does not follow it, the settings dialog is
 * used); and, where the page decodes sound itself, so that no packet names who speaks, whose tiles
 * have a mark.
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
let toldSpeaking = '[]';

setInterval(() => {
    const isTold = [...taps.values()].some((tap) => tap.kind === 'audio' && tap.nTapped > 0);
    const ids = isTold ? [] : allOf('tile')
        .filter(({element}) => isLit(element, 'speaking_mark'))
        .map(({element, candidate}) => element.getAttribute(candidate.attribute) || '');
    const json = JSON.stringify(ids);
    if (json !== toldSpeaking) {
        toldSpeaking = json;
        tell({type: 'speaking', ids});
    }
}, SPEAKERS_MS);
