/* Runs a JavaScript file, or with -e the text of the next argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quickjs-libc.h"
#include "quickjs.h"

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE | -e TEXT\n", argv[0]);
        return 2;
    }
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *context = JS_NewContext(runtime);
    js_std_init_handlers(runtime);
    js_std_add_helpers(context, argc, argv);
    int is_text = argc > 2 && strcmp(argv[1], "-e") == 0;
    size_t length = is_text ? strlen(argv[2]) : 0;
    char *text = is_text ? argv[2] : (char *)js_load_file(context, &length, argv[1]);
    if (!text)
        return 2;
    JSValue value = JS_Eval(context, text, length, argv[1], JS_EVAL_TYPE_GLOBAL);
    int failed = JS_IsException(value);
    if (failed)
        js_std_dump_error(context);
    else
        js_std_loop(context);
    JS_FreeValue(context, value);
    if (!is_text)
        js_free(context, text);
    js_std_free_handlers(runtime);
    JS_FreeContext(context);
    JS_FreeRuntime(runtime);
    return failed;
}
