/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/browser/browser.h"

#include "base/text.h"
#include "platforms/browser/pipe.h"
#include "platforms/browser/process.h"
#include "platforms/browser/profile.h"
#include "platforms/json.h"
#include "platforms/platform.h"

#include <string.h>
#include <unistd.h>

/* Of the start, with what the page gets before it runs: its renderer starts, too. */
#define START_TIMEOUT_MS 30000
#define CALL_TIMEOUT_MS 5000
#define REPLY_GRACE_MS 1000 /* the browser's own time-out comes first */
#define CLOSE_WAIT_MS 10000
#define LAST_WORDS_MS 200

/* A call that answers with a value. */
typedef struct {
    Browser *browser; /* borrowed */
    BrowserValue reply;
    gpointer user_data;
    char *path; /* owned, or NULL: where its picture goes */
} ValueCall;

struct Browser {
    BrowserOptions *options; /* owned */
    char **scripts;          /* owned */
    BrowserEvents events;
    gpointer user_data;
    BrowserProfile *profile;   /* owned, or NULL: the user's own */
    BrowserProcess *process;   /* owned */
    BrowserPipe *pipe;         /* owned */
    BrowserPictures *pictures; /* owned, or NULL */
    BrowserXvfb *xvfb;         /* owned, or NULL */
    char *target;              /* owned: id of our page */
    char *session;             /* owned: attached to it */
    GHashTable *calls;         /* owned: set of owned ValueCall */
    unsigned n_setup_pending;
    unsigned lost_source;
    GError *lost; /* owned: for the message */
    BrowserLost lost_kind;
    bool ready, is_lost, freed;
};

static void value_call_free(gpointer data)
{
    ValueCall *call = data;
    g_free(call->path);
    g_free(call);
}

static void browser_clear(gpointer data)
{
    Browser *browser = data;
    browser_options_free(browser->options);
    g_strfreev(browser->scripts);
    g_free(browser->target);
    g_free(browser->session);
    g_hash_table_unref(browser->calls);
    g_clear_error(&browser->lost);
}

static void browser_release(Browser *browser)
{
    g_rc_box_release_full(browser, browser_clear);
}

static void lose(Browser *browser, BrowserLost kind, const char *message)
{
    if (browser->is_lost || browser->freed) {
        return;
    }
    browser->is_lost = true;
    browser->events.on_lost(kind, message, browser->user_data);
}

static void on_exited(const char *message, gpointer user_data)
{
    Browser *browser = user_data;
    if (!browser->options->sandbox || strstr(message, "sandbox") == NULL) {
        lose(browser, BROWSER_LOST_PROCESS, message);
        return;
    }
    g_autofree char *hint = g_strdup_printf(
        "%s (Chromium's sandbox does not work here: allow unprivileged user namespaces, or set "
        "browser.sandbox to false)",
        message);
    lose(browser, BROWSER_LOST_PROCESS, hint);
}

static gboolean on_lost_later(gpointer data)
{
    Browser *browser = data;
    browser->lost_source = 0;
    lose(browser, browser->lost_kind, browser->lost->message);
    return G_SOURCE_REMOVE;
}

/* Usually the process has just ended too, and its own last words say more: they may come first. */
static void lose_later(Browser *browser, BrowserLost kind, const GError *error)
{
    if (browser->lost == NULL) {
        browser->lost = g_error_copy(error);
        browser->lost_kind = kind;
        browser->lost_source = g_timeout_add(LAST_WORDS_MS, on_lost_later, browser);
    }
}

static void on_pipe_closed(const GError *error, gpointer user_data)
{
    lose_later(user_data, BROWSER_LOST_PROCESS, error);
}

/* Nobody waits for the answer. */
static void tell_page(Browser *browser, const char *method, GVariant *params)
{
    browser_pipe_call(browser->pipe, browser->session, method, params, CALL_TIMEOUT_MS, NULL, NULL);
}

static void resume(Browser *browser, const char *session)
{
    browser_pipe_call(browser->pipe, session, "Runtime.runIfWaitingForDebugger", NULL,
                      CALL_TIMEOUT_MS, NULL, NULL);
}

static void add_scripts(Browser *browser, const char *session, BrowserReply reply,
                        gpointer user_data)
{
    for (size_t i = 0; browser->scripts != NULL && browser->scripts[i] != NULL; i++) {
        browser_pipe_call(browser->pipe, session, "Page.addScriptToEvaluateOnNewDocument",
                          g_variant_new_parsed("{'source': <%s>}", browser->scripts[i]),
                          START_TIMEOUT_MS, reply, user_data);
    }
}

/* The calls that every document-bearing session gets before it runs. */
static void prepare_session(Browser *browser, const char *session, BrowserReply reply,
                            gpointer user_data)
{
    browser_pipe_call(browser->pipe, session, "Page.enable", NULL, START_TIMEOUT_MS, reply,
                      user_data);
    browser_pipe_call(browser->pipe, session, "Page.setBypassCSP",
                      g_variant_new_parsed("{'enabled': <true>}"), START_TIMEOUT_MS, reply,
                      user_data);
    add_scripts(browser, session, reply, user_data);
    /*
     * Frames of another process hold still until they have the scripts too. No filter: a worker
     * that is not attached would keep the page's content security policy.
     */
    browser_pipe_call(
        browser->pipe, session, "Target.setAutoAttach",
        g_variant_new_parsed("{'autoAttach': <true>, 'waitForDebuggerOnStart': <true>, "
                             "'flatten': <true>}"),
        START_TIMEOUT_MS, reply, user_data);
}

static void on_attached(Browser *browser, JsonObject *params)
{
    const char *session = platform_json_string(params, "sessionId", "");
    JsonObject *info = platform_json_object(params, "targetInfo");
    if (g_strcmp0(platform_json_string(info, "targetId", ""), browser->target) == 0) {
        return;
    }
    if (strcmp(platform_json_string(info, "type", ""), "iframe") == 0) {
        prepare_session(browser, session, NULL, NULL);
    }
    resume(browser, session);
}

static void on_page_event(Browser *browser, const char *method, JsonObject *params)
{
    if (strcmp(method, "Page.frameNavigated") == 0) {
        JsonObject *frame = platform_json_object(params, "frame");
        if (browser->ready && platform_json_string(frame, "parentId", NULL) == NULL) {
            browser->events.on_navigated(platform_json_string(frame, "url", ""),
                                         browser->user_data);
        }
    } else if (strcmp(method, "Page.javascriptDialogOpening") == 0) {
        /* An alert would stop the page until somebody answers. */
        tell_page(browser, "Page.handleJavaScriptDialog",
                  g_variant_new_parsed("{'accept': <true>}"));
    } else if (strcmp(method, "Page.screencastFrame") == 0) {
        if (browser->pictures != NULL) {
            browser_pictures_take(browser->pictures, params);
        }
    } else if (strcmp(method, "Inspector.targetCrashed") == 0) {
        lose(browser, BROWSER_LOST_PAGE, "the page crashed");
    }
}

static void on_event(const char *session, const char *method, JsonObject *params,
                     gpointer user_data)
{
    Browser *browser = g_rc_box_acquire(user_data);
    if (strcmp(method, "Target.attachedToTarget") == 0) {
        on_attached(browser, params);
    } else if (strcmp(method, "Target.targetCrashed") == 0) {
        if (g_strcmp0(platform_json_string(params, "targetId", ""), browser->target) == 0) {
            lose(browser, BROWSER_LOST_PAGE, "the page crashed");
        }
    } else if (strcmp(method, "Target.detachedFromTarget") == 0) {
        if (browser->session != NULL &&
            g_strcmp0(platform_json_string(params, "sessionId", ""), browser->session) == 0) {
            lose(browser, BROWSER_LOST_PAGE, "the page was closed");
        }
    } else if (g_strcmp0(session, browser->session) == 0) {
        on_page_event(browser, method, params);
    }
    browser_release(browser);
}

static void on_setup_reply(JsonObject *result, const GError *error, gpointer user_data)
{
    Browser *browser = user_data;
    if (error != NULL) {
        lose_later(browser, BROWSER_LOST_PROCESS, error);
        return;
    }
    if (--browser->n_setup_pending == 0 && browser->lost == NULL) {
        browser->ready = true;
        browser->events.on_ready(browser->user_data);
    }
}

/* @session: (nullable): of the page; without it the browser itself is told. */
static void set_up(Browser *browser, const char *session, const char *method, GVariant *params)
{
    browser->n_setup_pending++;
    browser_pipe_call(browser->pipe, session, method, params, START_TIMEOUT_MS, on_setup_reply,
                      browser);
}

static unsigned count_scripts(Browser *browser)
{
    return browser->scripts != NULL ? g_strv_length(browser->scripts) : 0;
}

/* False: the browser is lost, its cookies can't be read. */
static bool set_cookies(Browser *browser)
{
    g_autoptr(GError) error = NULL;
    GVariant *cookies = browser_options_read_cookies(browser->options, &error);
    if (error != NULL) {
        lose_later(browser, BROWSER_LOST_PROCESS, error);
        return false;
    }
    if (cookies != NULL) {
        set_up(browser, NULL, "Storage.setCookies", cookies);
    }
    return true;
}

static void on_session(JsonObject *result, const GError *error, gpointer user_data)
{
    Browser *browser = user_data;
    if (error != NULL) {
        lose_later(browser, BROWSER_LOST_PROCESS, error);
        return;
    }
    browser->session = g_strdup(platform_json_string(result, "sessionId", ""));
    if (!set_cookies(browser)) {
        return;
    }
    browser->n_setup_pending += 3 + count_scripts(browser);
    prepare_session(browser, browser->session, on_setup_reply, browser);
    set_up(browser, browser->session, "Inspector.enable", NULL);
    /* A renderer that dies while it navigates tells only the browser's own session. */
    set_up(browser, NULL, "Target.setDiscoverTargets",
           g_variant_new_parsed("{'discover': <true>, 'filter': <[{'type': <'page'>}]>}"));
    set_up(browser, NULL, "Browser.grantPermissions",
           g_variant_new_parsed("{'permissions': <['audioCapture', 'videoCapture']>}"));
}

static void attach(Browser *browser, const char *target)
{
    browser->target = g_strdup(target);
    browser_pipe_call(browser->pipe, NULL, "Target.attachToTarget",
                      g_variant_new_parsed("{'targetId': <%s>, 'flatten': <true>}", target),
                      START_TIMEOUT_MS, on_session, browser);
}

static void on_created(JsonObject *result, const GError *error, gpointer user_data)
{
    Browser *browser = user_data;
    if (error != NULL) {
        lose_later(browser, BROWSER_LOST_PROCESS, error);
        return;
    }
    attach(browser, platform_json_string(result, "targetId", ""));
}

static void on_targets(JsonObject *result, const GError *error, gpointer user_data)
{
    Browser *browser = user_data;
    if (error != NULL) {
        lose_later(browser, BROWSER_LOST_PROCESS, error);
        return;
    }
    JsonArray *targets = platform_json_array(result, "targetInfos");
    for (guint i = 0; targets != NULL && i < json_array_get_length(targets); i++) {
        JsonNode *node = json_array_get_element(targets, i);
        JsonObject *info = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        if (strcmp(platform_json_string(info, "type", ""), "page") == 0) {
            attach(browser, platform_json_string(info, "targetId", ""));
            return;
        }
    }
    browser_pipe_call(browser->pipe, NULL, "Target.createTarget",
                      g_variant_new_parsed("{'url': <'about:blank'>}"), START_TIMEOUT_MS,
                      on_created, browser);
}

/* Its cookie lies in the browser's temporary folder, or beside a profile of the user's own. */
static bool start_display(Browser *browser, char ***envp, GError **error)
{
    const char *folder = browser->profile != NULL ? browser_profile_get_tmp(browser->profile)
                                                  : browser->options->profile_dir;
    browser->xvfb = browser_xvfb_new(folder, browser->options->window_width,
                                     browser->options->window_height, error);
    if (browser->xvfb == NULL) {
        return false;
    }
    *envp = g_environ_setenv(*envp, "DISPLAY", browser_xvfb_get_display(browser->xvfb), TRUE);
    *envp = g_environ_setenv(*envp, "XAUTHORITY", browser_xvfb_get_authority(browser->xvfb), TRUE);
    *envp = g_environ_unsetenv(*envp, "WAYLAND_DISPLAY");
    return true;
}

/* Chromium's libpulse, where no desktop has made a runtime folder, would make one in TMPDIR and
 * link to it from ~/.config: it gets one in the profile. */
static char **keep_sound_in(char **envp, const char *profile_dir)
{
    g_autofree char *path = g_build_filename(profile_dir, "pulse", NULL);
    bool desktop = g_environ_getenv(envp, "XDG_RUNTIME_DIR") != NULL;
    return desktop ? envp : g_environ_setenv(envp, "PULSE_RUNTIME_PATH", path, FALSE);
}

static bool spawn(Browser *browser, GError **error)
{
    browser_profile_reap();
    const char *profile_dir = browser->options->profile_dir;
    g_auto(GStrv) envp = g_get_environ();
    if (profile_dir == NULL) {
        browser->profile = browser_profile_new(error);
        if (browser->profile == NULL) {
            return false;
        }
        profile_dir = browser_profile_get_path(browser->profile);
        envp = g_environ_setenv(envp, "TMPDIR", browser_profile_get_tmp(browser->profile), TRUE);
    }
    envp = keep_sound_in(envp, profile_dir);
    if (browser->options->own_display && !start_display(browser, &envp, error)) {
        return false;
    }
    g_auto(GStrv) argv = browser_options_to_argv(browser->options, profile_dir);
    int read_fd, write_fd;
    browser->process =
        browser_process_new(argv, envp, on_exited, browser, &read_fd, &write_fd, error);
    if (browser->process == NULL) {
        return false;
    }
    static const BrowserPipeEvents events = {.on_event = on_event, .on_closed = on_pipe_closed};
    browser->pipe = browser_pipe_new(read_fd, write_fd, &events, browser);
    return true;
}

Browser *browser_new(BrowserOptions *options, const char *const *scripts,
                     const BrowserEvents *events, gpointer user_data, GError **error)
{
    Browser *browser = g_rc_box_new0(Browser);
    browser->options = options;
    browser->scripts = g_strdupv((char **)scripts);
    browser->events = *events;
    browser->user_data = user_data;
    browser->calls = g_hash_table_new_full(NULL, NULL, value_call_free, NULL);
    if (options->sandbox && geteuid() == 0) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER,
                            "Chromium refuses its sandbox when run as root: run as an ordinary "
                            "user, or set browser.sandbox to false");
        browser_free(browser);
        return NULL;
    }
    if (!spawn(browser, error)) {
        browser_free(browser);
        return NULL;
    }
    browser_pipe_call(browser->pipe, NULL, "Target.getTargets", NULL, START_TIMEOUT_MS, on_targets,
                      browser);
    return browser;
}

void browser_adopt(Browser *browser, const char *const *scripts, const BrowserEvents *events,
                   gpointer user_data)
{
    g_assert(browser->scripts == NULL && !browser_is_lost(browser));
    browser->scripts = g_strdupv((char **)scripts);
    browser->events = *events;
    browser->user_data = user_data;
    if (browser->session == NULL) {
        return; /* it still starts, and is prepared with these scripts */
    }
    browser->ready = false;
    browser->n_setup_pending += count_scripts(browser);
    if (!set_cookies(browser)) {
        return;
    }
    add_scripts(browser, browser->session, on_setup_reply, browser);
    /* Without scripts there must be an answer to wait for, too. */
    set_up(browser, browser->session, "Page.enable", NULL);
}

bool browser_is_lost(Browser *browser)
{
    return browser->is_lost || browser->lost != NULL;
}

const BrowserOptions *browser_get_options(Browser *browser)
{
    return browser->options;
}

void browser_free(Browser *browser)
{
    if (browser == NULL) {
        return;
    }
    browser->freed = true;
    g_clear_handle_id(&browser->lost_source, g_source_remove);
    if (browser->process != NULL && browser->profile == NULL && !browser->is_lost) {
        browser_pipe_call(browser->pipe, NULL, "Browser.close", NULL, CLOSE_WAIT_MS, NULL, NULL);
        browser_process_wait(browser->process, CLOSE_WAIT_MS);
    }
    g_clear_pointer(&browser->pictures, browser_pictures_free);
    g_clear_pointer(&browser->pipe, browser_pipe_free);
    g_clear_pointer(&browser->process, browser_process_free);
    g_clear_pointer(&browser->xvfb, browser_xvfb_free);
    g_clear_pointer(&browser->profile, browser_profile_free);
    browser_release(browser);
}

/* Starts a call whose answer is a value; owned by browser->calls until it is answered. */
static ValueCall *value_call_new(Browser *browser, BrowserValue reply, gpointer user_data)
{
    ValueCall *call = g_new0(ValueCall, 1);
    call->browser = browser;
    call->reply = reply;
    call->user_data = user_data;
    g_hash_table_add(browser->calls, call);
    return call;
}

static void value_call_answer(ValueCall *call, JsonNode *value, const GError *error)
{
    BrowserValue reply = call->reply;
    gpointer user_data = call->user_data;
    g_hash_table_remove(call->browser->calls, call);
    if (reply != NULL) {
        reply(value, error, user_data);
    }
}

static void on_navigate_reply(JsonObject *result, const GError *error, gpointer user_data)
{
    const char *text = platform_json_string(result, "errorText", NULL);
    g_autoptr(JsonNode) null_node = json_node_new(JSON_NODE_NULL);
    if (error != NULL || text == NULL) {
        value_call_answer(user_data, error == NULL ? null_node : NULL, error);
        return;
    }
    g_autoptr(GError) failure =
        g_error_new(PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL, "the page did not load: %s", text);
    value_call_answer(user_data, NULL, failure);
}

void browser_navigate(Browser *browser, const char *url, unsigned timeout_ms, BrowserValue reply,
                      gpointer user_data)
{
    browser_pipe_call(browser->pipe, browser->session, "Page.navigate",
                      g_variant_new_parsed("{'url': <%s>}", url), timeout_ms, on_navigate_reply,
                      value_call_new(browser, reply, user_data));
}

static void on_evaluate_reply(JsonObject *result, const GError *error, gpointer user_data)
{
    if (error != NULL) {
        value_call_answer(user_data, NULL, error);
        return;
    }
    JsonObject *exception = platform_json_object(result, "exceptionDetails");
    if (exception != NULL) {
        JsonObject *thrown = platform_json_object(exception, "exception");
        const char *text = platform_json_string(exception, "text", "threw");
        g_autofree char *words =
            base_text_cut(platform_json_string(thrown, "description", text), 500);
        g_autoptr(GError) failure =
            g_error_new(PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL, "in the page: %s", words);
        value_call_answer(user_data, NULL, failure);
        return;
    }
    JsonObject *object = platform_json_object(result, "result");
    JsonNode *value = object != NULL ? json_object_get_member(object, "value") : NULL;
    g_autoptr(JsonNode) null_node = json_node_new(JSON_NODE_NULL);
    value_call_answer(user_data, value != NULL ? value : null_node, NULL);
}

void browser_evaluate(Browser *browser, const char *expression, unsigned timeout_ms,
                      BrowserValue reply, gpointer user_data)
{
    browser_pipe_call(browser->pipe, browser->session, "Runtime.evaluate",
                      g_variant_new_parsed("{'expression': <%s>, 'returnByValue': <true>, "
                                           "'awaitPromise': <true>, 'timeout': <%i>}",
                                           expression, (int)timeout_ms),
                      timeout_ms + REPLY_GRACE_MS, on_evaluate_reply,
                      value_call_new(browser, reply, user_data));
}

static void on_typed_reply(JsonObject *result, const GError *error, gpointer user_data)
{
    g_autoptr(JsonNode) null_node = json_node_new(JSON_NODE_NULL);
    value_call_answer(user_data, error == NULL ? null_node : NULL, error);
}

/* The browser does what the pipe brings in its order: the last key's answer is everybody's. */
void browser_type(Browser *browser, const char *text, unsigned timeout_ms, BrowserValue reply,
                  gpointer user_data)
{
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        g_autofree char *key = g_strndup(at, (gsize)(g_utf8_next_char(at) - at));
        tell_page(
            browser, "Input.dispatchKeyEvent",
            g_variant_new_parsed("{'type': <'keyDown'>, 'key': <%s>, 'text': <%s>}", key, key));
        tell_page(browser, "Input.dispatchKeyEvent",
                  g_variant_new_parsed("{'type': <'keyUp'>, 'key': <%s>}", key));
    }
    browser_pipe_call(browser->pipe, browser->session, "Input.dispatchKeyEvent",
                      g_variant_new_parsed("{'type': <'keyUp'>, 'key': <'Shift'>}"), timeout_ms,
                      on_typed_reply, value_call_new(browser, reply, user_data));
}

static void on_screenshot_reply(JsonObject *result, const GError *error, gpointer user_data)
{
    ValueCall *call = user_data;
    if (error != NULL) {
        value_call_answer(call, NULL, error);
        return;
    }
    gsize size = 0;
    g_autofree guchar *png = g_base64_decode(platform_json_string(result, "data", ""), &size);
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonNode) null_node = json_node_new(JSON_NODE_NULL);
    bool written = g_file_set_contents(call->path, (const char *)png, (gssize)size, &failure);
    value_call_answer(call, written ? null_node : NULL, failure);
}

void browser_screenshot(Browser *browser, const char *path, unsigned timeout_ms, BrowserValue reply,
                        gpointer user_data)
{
    ValueCall *call = value_call_new(browser, reply, user_data);
    call->path = g_strdup(path);
    browser_pipe_call(browser->pipe, browser->session, "Page.captureScreenshot",
                      g_variant_new_parsed("{'format': <'png'>}"), timeout_ms, on_screenshot_reply,
                      call);
}

bool browser_start_pictures(Browser *browser, const BrowserPicturesConfig *config, GError **error)
{
    g_assert(browser->pictures == NULL);
    browser->pictures =
        browser_pictures_new(browser->pipe, browser->session, browser->xvfb, config, error);
    return browser->pictures != NULL;
}

void browser_set_stage(Browser *browser, const BrowserStage *stage)
{
    if (browser->pictures != NULL) {
        browser_pictures_set_stage(browser->pictures, stage);
    }
}

void browser_interrupt(Browser *browser)
{
    tell_page(browser, "Runtime.terminateExecution", NULL);
}

int browser_get_pid(Browser *browser)
{
    return browser->process != NULL ? browser_process_get_pid(browser->process) : 0;
}
