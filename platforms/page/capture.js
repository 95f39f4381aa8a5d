/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page as a picture, where what it shows can't be tapped: its videos are drawn, and what is
 * beside its stage (the purpose "capture_stage"; without one the whole page) becomes transparent.
 * Not invisible: the rules go on reading it.
 */
const ASIDE = 'data-steno-aside';
let stage = null;

const asides = new CSSStyleSheet();
asides.replaceSync('[' + ASIDE + '] { opacity: 0 !important; }');

function setAsides() {
    const kept = new Set();
    for (let element = stage; element !== null; element = element.parentElement) {
        kept.add(element);
    }
    for (const element of document.body.querySelectorAll('[' + ASIDE + ']')) {
        if (kept.has(element) || stage === null || !kept.has(element.parentElement)) {
            element.removeAttribute(ASIDE);
        }
    }
    kept.delete(stage);
    kept.delete(document.documentElement);
    for (const element of kept) {
        for (const child of element.children) {
            if (!kept.has(child) && child !== stage) {
                child.setAttribute(ASIDE, '');
            }
        }
    }
}

/* What is to be photographed, in CSS pixels of the window; looked up again at each call. */
steno.capture = () => {
    if (!document.adoptedStyleSheets.includes(asides)) {
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, asides];
        new MutationObserver((records) => {
            if (stage !== null && records.some((r) => r.target.contains(stage) && r.target !== stage)) {
                setAsides();
            }
        }).observe(document.body, {childList: true, subtree: true});
    }
    steno.keepShown();
    const match = new Reading().first('capture_stage');
    stage = match === null ? null : match[1];
    setAsides();
    const rect = stage === null ? {left: 0, top: 0, right: innerWidth, bottom: innerHeight}
        : stage.getBoundingClientRect();
    const left = Math.max(rect.left, 0);
    const top = Math.max(rect.top, 0);
    return {rule: match === null ? null : match[0].id, x: left, y: top,
            width: Math.min(rect.right, innerWidth) - left,
            height: Math.min(rect.bottom, innerHeight) - top,
            windowWidth: innerWidth, windowHeight: innerHeight,
            frameHeight: outerHeight - innerHeight};
};
