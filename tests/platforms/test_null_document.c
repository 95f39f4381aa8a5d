/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/null/document.h"

#include <string.h>

static char *from_quotes(const char *json)
{
    return g_strdelimit(g_strdup(json), "'", '"');
}

static const struct {
    const char *json, *error;
} wrong_documents[] = {
    {"[]", "$: the document is"},
    {"{'durations_s':1}", "$.durations_s: unknown key; there are: duration_s, joining"},
    {"{'duration_s':-1}", "$.duration_s: -1 is not a number of seconds"},
    {"{'duration_s':'1'}", "$.duration_s: \"1\" is not a number of seconds"},
    {"{'leaving_s':5.5}", "$.leaving_s: 5.5"},
    {"{'lobby':[]}", "$.lobby: [] is not an object"},
    {"{'lobby':{'mode':'open'}}", "$.lobby.mode: \"open\" is not one of: none, admit"},
    {"{'joining':{'left':'requested'}}", "$.joining.left"},
    {"{'recording':true}", "$.recording: true is not one of"},
    {"{'participants':{}}", "$.participants: {} is not an array"},
    {"{'participants':[{}]}", "$.participants[0].id: expected"},
    {"{'participants':[{'id':'a'},{'id':'a'}]}", "$.participants[1].id"},
    {"{'participants':[{'id':'a','nick':'b'}]}", "$.participants[0].nick: unknown key"},
    {"{'participants':[{'id':'a','camera':'ball'}]}", "$.participants[0].camera"},
    {"{'participants':[{'id':'a','join_s':2,'leave_s':1}]}", "$.participants[0].leave_s"},
    {"{'participants':[{'id':'a','speech':[{'at_s':0}]}]}", "$.participants[0].speech[0]"},
    {"{'participants':[{'id':'a','speech':[{'at_s':0,'for_s':2},{'at_s':1,'for_s':1}]}]}",
     "$.participants[0].speech[1]"},
    {"{'participants':[{'id':'a','speech':[{'at_s':0,'for_s':2,'tone_hz':9}]}]}",
     "$.participants[0].speech[0].tone_hz: 9 is not a whole number from 20 to 8000"},
    {"{'participants':[{'id':'a','screen':[{'from_s':1,'to_s':1}]}]}",
     "$.participants[0].screen[0]"},
    {"{'chat':[{'at_s':0,'from':'a','text':'x'}]}", "$.chat[0].from"},
    {"{'participants':[{'id':'a'}],'chat':[{'from':'a'}]}", "$.chat[0].text"},
    {"{'events':[{'at_s':1}]}", "$.events[0].do"},
    {"{'events':[{'do':'dance'}]}", "$.events[0].do: \"dance\" is not one of: mute"},
    {"{'events':[{'do':'mute'}]}", "$.events[0].id: \"mute\" needs it"},
    {"{'events':[{'do':'mute','id':'a'}]}", "$.events[0].id: expected the id"},
    {"{'events':[{'do':'remove_bot','id':'a'}]}", "$.events[0].id: \"remove_bot\" has no use"},
    {"{'events':[{'do':'remove_bot','message':'a'}]}", "$.events[0].message"},
    {"{'events':[{'do':'end'}]}", "$.events[0].left: \"end\" needs it"},
    {"{'events':[{'do':'crash_page','left':'denied'}]}", "$.events[0].left"},
    {"{'events':[{'do':'crash_page','times':0}]}", "$.events[0].times: 0 is not a whole number"},
    {"{'events':[{'do':'crash_page','times':1.5}]}", "$.events[0].times: 1.5"},
};

static void test_names_what_is_wrong(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(wrong_documents); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = from_quotes(wrong_documents[i].json);
        g_autoptr(NullDocument) document = null_document_parse(text, strlen(text), &error);
        g_assert_null(document);
        g_assert_error(error, PLATFORM_ERROR, PLATFORM_ERROR_RULES);
        if (!g_str_has_prefix(error->message, wrong_documents[i].error)) {
            g_error("expected \"%s\", got \"%s\"", wrong_documents[i].error, error->message);
        }
    }
}

static void test_steps_are_sorted(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = from_quotes(
        "{'duration_s':3,'participants':[{'id':'a','join_s':1,'leave_s':null,'name':null},"
        "{'id':'b','leave_s':1}],'events':[{'at_s':2,'do':'mute','id':'b'},{'do':'mute_bot'},"
        "{'at_s':3,'do':'end','left':'denied','message':'No.','times':2}]}");
    g_autoptr(NullDocument) document = null_document_parse(text, strlen(text), &error);
    g_assert_no_error(error);
    static const NullStepKind kinds[] = {NULL_STEP_COME, NULL_STEP_MUTE_BOT, NULL_STEP_COME,
                                         NULL_STEP_GO,   NULL_STEP_MUTE,     NULL_STEP_END,
                                         NULL_STEP_END};
    g_assert_cmpuint(document->steps->len, ==, G_N_ELEMENTS(kinds));
    for (guint i = 0; i < document->steps->len; i++) {
        g_assert_cmpint(g_array_index(document->steps, NullStep, i).kind, ==, kinds[i]);
    }
    const NullStep *last = &g_array_index(document->steps, NullStep, 5);
    g_assert_cmpint(last->left, ==, PLATFORM_LEFT_DENIED);
    g_assert_cmpstr(last->text, ==, "No.");
    g_assert_cmpuint(last->n_times, ==, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/null_document/names_what_is_wrong", test_names_what_is_wrong);
    g_test_add_func("/null_document/steps_are_sorted", test_steps_are_sorted);
    return g_test_run();
}
