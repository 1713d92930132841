/* The walk of text.py, compiled: the text of a node as a reader sees it.

   Text nodes are read through Lexbor's serialiser, which hands out their bytes where they lie. What counts as a gap or is
   not seen comes from text.py, as a table of kinds by Lexbor's number of the tag. */

#include "_native.h"

/* Kinds of nodes, as text.py numbers them. Tags beyond the table are unknown elements: BORDER. */
enum { BORDER, INLINE, UNSEEN, TEXT };

/* Lexbor's functions, as its headers declare them, and its two options for text as it is: not escaped, not indented. */
typedef unsigned int (*piece_callback)(const unsigned char *data, size_t length, void *context);
typedef void *(*step_function)(void *node);
typedef uintptr_t (*tag_function)(void *node);
typedef unsigned int (*serialize_function)(void *node, int options, size_t indent, piece_callback, void *context);
enum { RAW = 0x04, WITHOUT_TEXT_INDENT = 0x20 };

typedef struct {
    step_function first_child, next, parent;
    tag_function tag_id;
    serialize_function serialize;
    node_kind nodes;
    PyObject *kinds;
    const unsigned char *kind;
    size_t known;
} walker;

/* The text so far, in UTF-8, its white space collapsed. */
typedef struct {
    unsigned char *bytes;
    size_t length, room;
    int is_parted; /* white space or a border lies behind the last letter */
    int pieces;    /* how many the serialiser has given of the text node at hand */
} text;

/* ---- White space, as str.split() knows it ---- */

enum { PLAIN, WHITE, LEAD };

/* LEAD bytes begin a sequence that may be white space. */
static const unsigned char classes[256] = {
    ['\t'] = WHITE, ['\n'] = WHITE, ['\v'] = WHITE, ['\f'] = WHITE, ['\r'] = WHITE, [' '] = WHITE,
    [0x1C] = WHITE, [0x1D] = WHITE, [0x1E] = WHITE, [0x1F] = WHITE,
    [0xC2] = LEAD,  [0xE1] = LEAD,  [0xE2] = LEAD,  [0xE3] = LEAD,
};

static int
is_white_of_three(unsigned char first, unsigned char second, unsigned char third)
{
    if (first == 0xE1)
        return second == 0x9A && third == 0x80; /* U+1680 */
    if (first == 0xE3)
        return second == 0x80 && third == 0x80; /* U+3000 */
    if (second == 0x81)
        return third == 0x9F; /* U+205F */
    /* U+2000-U+200A, U+2028, U+2029, U+202F */
    return second == 0x80 && ((third >= 0x80 && third <= 0x8A) || third == 0xA8 || third == 0xA9 || third == 0xAF);
}

/* How many bytes of white space stand at `at`: 0-3. */
static size_t
white_space(const unsigned char *at, const unsigned char *end)
{
    if (classes[*at] != LEAD)
        return classes[*at] == WHITE;
    if (*at == 0xC2)
        return end - at >= 2 && (at[1] == 0x85 || at[1] == 0xA0) ? 2 : 0;
    return end - at >= 3 && is_white_of_three(at[0], at[1], at[2]) ? 3 : 0;
}

/* ---- Adding a text node ---- */

/* Room for `more` bytes; 0 where there is no memory for them. */
static int
make_room(text *out, size_t more)
{
    size_t room;
    unsigned char *bytes;
    if (out->room - out->length >= more)
        return 1;
    if (more > (size_t)PY_SSIZE_T_MAX / 2 - out->length)
        return 0;
    room = 2 * (out->length + more);
    bytes = PyMem_Realloc(out->bytes, room);
    if (bytes == NULL)
        return 0;
    out->bytes = bytes;
    out->room = room;
    return 1;
}

/* A letter in one text node does not go on in the next: bytes that would continue one are no letters, each by itself. */
static size_t
replace_stray_bytes(text *out, const unsigned char *data, size_t length)
{
    size_t count = 0;
    while (count < length && (data[count] & 0xC0) == 0x80) {
        memcpy(out->bytes + out->length, "\xEF\xBF\xBD", 3);
        out->length += 3;
        count++;
    }
    return count;
}

static void
add_words(text *out, const unsigned char *at, const unsigned char *end)
{
    unsigned char *to = out->bytes + out->length;
    int is_parted = out->is_parted;
    while (at < end) {
        size_t white = white_space(at, end);
        if (white) {
            is_parted = 1;
            at += white;
            continue;
        }
        if (is_parted && to != out->bytes)
            *to++ = ' ';
        is_parted = 0;
        do
            *to++ = *at++;
        while (at < end && classes[*at] == PLAIN);
    }
    out->length = (size_t)(to - out->bytes);
    out->is_parted = is_parted;
}

/* Takes the pieces of a serialised text node: a quotation mark, the text, a quotation mark, the end of the line. */
static unsigned int
take_piece(const unsigned char *data, size_t length, void *context)
{
    text *out = context;
    size_t stray = 0;
    out->pieces++;
    if (out->pieces != 2 || length == 0)
        return 0;
    if (length > (size_t)PY_SSIZE_T_MAX / 4 || !make_room(out, 1 + ((data[0] & 0xC0) == 0x80 ? 3 : 1) * length))
        return 1;
    if (!out->is_parted)
        stray = replace_stray_bytes(out, data, length);
    add_words(out, data + stray, data + length);
    return 0;
}

/* 0 with an exception set where it failed. */
static int
add_text_node(const walker *lexbor, void *node, text *out)
{
    out->pieces = 0;
    if (lexbor->serialize(node, RAW | WITHOUT_TEXT_INDENT, 0, take_piece, out) != 0) {
        PyErr_NoMemory();
        return 0;
    }
    if (out->pieces != 4) {
        PyErr_SetString(PyExc_RuntimeError, "Lexbor serialises text in another form");
        return 0;
    }
    return 1;
}

/* ---- The walk ---- */

static int
kind_of(const walker *lexbor, void *node)
{
    uintptr_t tag = lexbor->tag_id(node);
    return tag < lexbor->known ? lexbor->kind[tag] : BORDER;
}

/* The next node in document order behind `node` and all inside it; NULL where that was the last inside `root`. */
static void *
node_behind(const walker *lexbor, void *node, void *root, text *out)
{
    void *following;
    while ((following = lexbor->next(node)) == NULL) {
        node = lexbor->parent(node);
        if (node == root || node == NULL)
            return NULL;
        out->is_parted |= kind_of(lexbor, node) == BORDER;
    }
    return following;
}

/* 0 with an exception set where it failed. */
static int
read_inside(const walker *lexbor, void *root, text *out)
{
    void *node = lexbor->first_child(root);
    while (node != NULL) {
        int kind = kind_of(lexbor, node);
        void *below = NULL;
        if (kind == TEXT && !add_text_node(lexbor, node, out))
            return 0;
        if (kind == BORDER)
            out->is_parted = 1;
        if (kind == BORDER || kind == INLINE)
            below = lexbor->first_child(node);
        node = below != NULL ? below : node_behind(lexbor, node, root, out);
    }
    return 1;
}

/* ---- What Python sees ---- */

static const char CAPSULE[] = "scraper.parse._native.walker";

static PyObject *
read_node(PyObject *self, PyObject *node)
{
    const walker *lexbor = PyCapsule_GetPointer(self, CAPSULE);
    text out = {NULL, 0, 0, 0, 0};
    PyObject *result = NULL;
    void *root = lexbor != NULL ? node_address(&lexbor->nodes, node) : NULL;
    if (root == NULL)
        return NULL;
    if (read_inside(lexbor, root, &out))
        result = PyUnicode_DecodeUTF8(out.bytes != NULL ? (char *)out.bytes : "", (Py_ssize_t)out.length, "replace");
    PyMem_Free(out.bytes);
    return result;
}

static PyMethodDef read_node_def = {"visible_text", read_node, METH_O, "The text of a node as a reader sees it."};

static void
free_walker(PyObject *capsule)
{
    walker *lexbor = PyCapsule_GetPointer(capsule, CAPSULE);
    node_kind_clear(&lexbor->nodes);
    Py_XDECREF(lexbor->kinds);
    PyMem_Free(lexbor);
}

PyObject *
new_reader(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *path;
    PyObject *node_type, *kinds, *capsule, *reader = NULL;
    walker *lexbor;
    if (!PyArg_ParseTuple(args, "sOS:reader", &path, &node_type, &kinds))
        return NULL;
    lexbor = PyMem_Calloc(1, sizeof *lexbor);
    if (lexbor == NULL)
        return PyErr_NoMemory();
    capsule = PyCapsule_New(lexbor, CAPSULE, free_walker);
    if (capsule == NULL) {
        PyMem_Free(lexbor);
        return NULL;
    }
    lexbor->kinds = Py_NewRef(kinds);
    lexbor->kind = (const unsigned char *)PyBytes_AsString(kinds);
    lexbor->known = (size_t)PyBytes_Size(kinds);
    const wanted_function wanted[] = {
        {"lxb_dom_node_first_child_noi", &lexbor->first_child},
        {"lxb_dom_node_next_noi", &lexbor->next},
        {"lxb_dom_node_parent_noi", &lexbor->parent},
        {"lxb_dom_node_tag_id_noi", &lexbor->tag_id},
        {"lxb_html_serialize_pretty_cb", &lexbor->serialize},
    };
    if (node_kind_init(&lexbor->nodes, node_type) && find_functions(path, wanted, sizeof wanted / sizeof *wanted))
        reader = PyCFunction_NewEx(&read_node_def, capsule, NULL);
    Py_DECREF(capsule);
    return reader;
}
