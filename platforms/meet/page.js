/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only Meet's page knows: its own preference for incoming video, kept in the page's storage and
 * set here before its scripts read it. Where the page does not follow it, the settings dialog is used.
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
