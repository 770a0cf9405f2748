/* The usual way through the hooks of `capture.py`, compiled where a compiler and Python's headers are at hand: a network that takes one
   tensor and returns one, a backward pass like the last one.

   Each function does for its case exactly what the Python beside it does, by the same objects: it decides nothing of its own, and what is not
   its case it leaves to Python before it has changed anything. So a recording is the same with and without it, which the tests hold it to.
   It exists because a hook runs once in milliseconds, with caches that the training has emptied, where a line of Python costs three to
   four times what it costs in a loop. No header of torch's: tensors are asked by their attributes, as Python asks. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#define NAMES(X)                                                                                                                     \
    X(muted) X(called) X(on_call) X(generated) X(count) X(score_operation) X(image_operation) X(_score_form) X(_passes) X(_new_pass) \
    X(_at_image) X(_pushed) X(give_up) X(open) X(stepped) X(row) X(_looked) X(_met) X(held) X(_own) X(_batch_of) X(_attached)        \
    X(_storages) X(origin) X(_let_go) X(shape) X(dtype) X(requires_grad) X(grad_fn) X(detach) X(untyped_storage) X(_cdata)   \
    X(_version) X(_sequence_nr) X(_backward_hooks) X(_register_hook_dict) X(register_hook) X(numel) X(append)              \
    X(scores) X(versions) X(image) X(after) X(penalised) X(reached_discriminator) X(reached_generator) X(pushes) X(image_gradients)  \
    X(beside) X(differentiable) X(stale) X(stale_of) X(beneath) X(discriminator) X(generator) X(gandiag)
#define DECLARE(NAME) static PyObject *s_##NAME;
NAMES(DECLARE)

/* What `prepare` is given, in this order: torch's and capture.py's own. */
#define GIVEN(X)                                                                                                                          \
    X(Tensor) X(Call) X(Pass) X(REAL) X(FAKE) X(float32) X(is_wrapped) X(running) X(will_run) X(holders) X(used_here) X(held_outputs) \
    X(kept_outputs) X(whole_values) X(most_open) X(learnt_in) X(stale_first) X(stale_every)
#define DECLARE_GIVEN(NAME) static PyObject *t_##NAME;
GIVEN(DECLARE_GIVEN)
static long long used_here, held_outputs, kept_outputs, whole_values, most_open, learnt_in, stale_first, stale_every;

/* -- small questions; -1 is an error, as everywhere in Python's C */

static int truth(PyObject *owner, PyObject *name) {
    PyObject *value = PyObject_GetAttr(owner, name);
    if (!value) return -1;
    const int found = value == Py_True ? 1 : value == Py_False ? 0 : PyObject_IsTrue(value);
    Py_DECREF(value);
    return found;
}

static long long whole(PyObject *owner, PyObject *name) {
    PyObject *value = PyObject_GetAttr(owner, name);
    if (!value) return -1;
    const long long found = PyLong_AsLongLong(value);
    Py_DECREF(value);
    return found;
}

static int set_whole(PyObject *owner, PyObject *name, long long value) {
    PyObject *number = PyLong_FromLongLong(value);
    if (!number) return -1;
    const int failed = PyObject_SetAttr(owner, name, number);
    Py_DECREF(number);
    return failed;
}

/* The identity of the memory behind a tensor, as a Python number. */
static PyObject *storage_of(PyObject *tensor) {
    PyObject *storage = PyObject_CallMethodNoArgs(tensor, s_untyped_storage);
    if (!storage) return NULL;
    PyObject *identity = PyObject_GetAttr(storage, s__cdata);
    Py_DECREF(storage);
    return identity;
}

/* `origin.is_tracked` of a plain tensor: it is no function transform's wrapper. */
static int tracked(PyObject *tensor) {
    PyObject *wrapped = PyObject_CallOneArg(t_is_wrapped, tensor);
    if (!wrapped) return -1;
    Py_DECREF(wrapped);
    return wrapped == Py_False;
}

/* Calls a function of no arguments that stands in an attribute, unless that is None. */
static int tell(PyObject *owner, PyObject *name) {
    PyObject *told = PyObject_GetAttr(owner, name);
    if (!told) return -1;
    PyObject *answer = told == Py_None ? Py_NewRef(Py_None) : PyObject_CallNoArgs(told);
    Py_DECREF(told);
    if (!answer) return -1;
    Py_DECREF(answer);
    return 0;
}

static PyObject *answer(int done) { return done < 0 ? NULL : Py_NewRef(done ? Py_True : Py_False); }

/* -- hooks at tensors */

/* `capture.on_gradient`. */
static int on_gradient(PyObject *tensor, PyObject *made_by, PyObject *hook) {
    PyObject *hooks = NULL, *done = NULL;
    if (made_by != Py_None) {
        PyObject *others = PyObject_GetAttr(tensor, s__backward_hooks);
        if (!others) return -1;
        Py_DECREF(others);
        if (others == Py_None) {
            if (!(hooks = PyODict_New())) return -1;
            if (PyODict_SetItem(hooks, s_gandiag, hook) == 0 && PyObject_SetAttr(tensor, s__backward_hooks, hooks) == 0)
                done = PyObject_CallMethodOneArg(made_by, s__register_hook_dict, tensor);
            Py_DECREF(hooks);
            Py_XDECREF(done);
            return done ? 0 : -1;
        }
    }
    done = PyObject_CallMethodOneArg(tensor, s_register_hook, hook);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* The promise of a hook (`guard.guarded`): an error goes to the capture's `give_up`, and on only where that says no. */
static PyObject *guarded(PyObject *capture, const char *where, PyObject *result) {
    if (result) return result;
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    if (!error || !PyErr_GivenExceptionMatches(type, PyExc_Exception)) {
        PyErr_Restore(type, error, trace);
        return NULL;
    }
    if (trace) PyException_SetTraceback(error, trace);
    PyObject *give_up = PyObject_GetAttr(capture, s_give_up);
    PyObject *given_up = give_up ? PyObject_CallFunction(give_up, "sO", where, error) : NULL;
    const int quiet = given_up ? PyObject_IsTrue(given_up) : -1;
    Py_XDECREF(give_up);
    Py_XDECREF(given_up);
    if (quiet != 0) {
        Py_XDECREF(type);
        Py_XDECREF(error);
        Py_XDECREF(trace);
        return quiet < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyErr_Restore(type, error, trace);
    return NULL;
}

/* Whether a pass goes through a parameter that is known to be this player's; 2 where all of its parameters must be asked. */
static int reaches(PyObject *met, PyObject *who) {
    PyObject *nodes = PyDict_GetItemWithError(met, who);
    if (!nodes || !PyList_CheckExact(nodes)) return PyErr_Occurred() ? -1 : 2;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(nodes); i++) {
        PyObject *will = PyObject_CallOneArg(t_will_run, PyList_GET_ITEM(nodes, i));
        if (!will) {
            if (!PyErr_ExceptionMatches(PyExc_RuntimeError)) return -1;
            PyErr_Clear();
            continue;
        }
        const int found = PyObject_IsTrue(will);
        Py_DECREF(will);
        if (found) return found;
    }
    return PyList_GET_SIZE(nodes) ? 0 : 2;
}

/* A pass like those before it, made and noted (a new reference); NULL without an error where `Capture._new_pass` must look. */
static PyObject *usual_pass(PyObject *capture, PyObject *passes, PyObject *running) {
    PyObject *found = NULL, *open = NULL, *met = NULL, *stepped = NULL, *row = NULL, *pushes = NULL, *images = NULL, *beside = NULL;
    const long long looked = whole(capture, s__looked) + 1;
    if (!(row = PyObject_GetAttr(capture, s_row)) || !(open = PyObject_GetAttr(capture, s_open)) ||
        !(met = PyObject_GetAttr(capture, s__met)) || !(stepped = PyObject_GetAttr(capture, s_stepped)))
        goto out;
    const long long at = PyLong_AsLongLong(row);
    if (PyErr_Occurred() || looked <= learnt_in || at < stale_first || at % stale_every == 0 || !PyList_CheckExact(open) ||
        PyList_GET_SIZE(open) >= most_open || PyDict_GET_SIZE(passes) > most_open)
        goto out;
    const int of_d = reaches(met, s_discriminator), of_g = of_d < 0 ? -1 : reaches(met, s_generator);
    if (of_d < 0 || of_g < 0 || of_d == 2 || of_g == 2 || !(of_d || of_g)) goto out;
    pushes = PyList_New(0), images = PyList_New(0), beside = PyList_New(0);
    PyObject *one = PyType_GenericAlloc((PyTypeObject *)t_Pass, 0);
    if (pushes && images && beside && one && !PyObject_SetAttr(one, s_reached_discriminator, of_d ? Py_True : Py_False) &&
        !PyObject_SetAttr(one, s_reached_generator, of_g ? Py_True : Py_False) && !PyObject_SetAttr(one, s_pushes, pushes) &&
        !PyObject_SetAttr(one, s_image_gradients, images) && !PyObject_SetAttr(one, s_row, row) &&
        !PyObject_SetAttr(one, s_beside, beside) && !PyObject_SetAttr(one, s_differentiable, Py_False) &&
        !PyObject_SetAttr(one, s_stale, Py_None) && !PyObject_SetAttr(one, s_beneath, Py_None)) {
        PyObject *nobody = PyUnicode_FromStringAndSize(NULL, 0);
        if (nobody && !PyObject_SetAttr(one, s_stale_of, nobody) && !set_whole(capture, s__looked, looked) &&
            !PyDict_SetItem(passes, running, one) && !PyList_Append(open, one) &&
            PySet_Discard(stepped, of_g ? s_generator : s_discriminator) >= 0)
            found = Py_NewRef(one);
        Py_XDECREF(nobody);
    }
    Py_XDECREF(one);
out:
    Py_XDECREF(row);
    Py_XDECREF(open);
    Py_XDECREF(met);
    Py_XDECREF(stepped);
    Py_XDECREF(pushes);
    Py_XDECREF(images);
    Py_XDECREF(beside);
    return found;
}

/* The backward pass that is running (a new reference): a Pass, or None as `Capture._passes` has it. */
static PyObject *running_pass(PyObject *capture) {
    PyObject *current = NULL, *passes = PyObject_GetAttr(capture, s__passes);
    PyObject *running = passes ? PyObject_CallNoArgs(t_running) : NULL;
    if (running) {
        current = Py_XNewRef(PyDict_GetItemWithError(passes, running));
        if (!current && !PyErr_Occurred()) current = usual_pass(capture, passes, running);
        if (!current && !PyErr_Occurred()) current = PyObject_CallMethodOneArg(capture, s__new_pass, running);
    }
    Py_XDECREF(passes);
    Py_XDECREF(running);
    return current;
}

static PyObject *push(PyObject *capture, PyObject *self, PyObject *gradient) {
    PyObject *call = PyTuple_GET_ITEM(self, 1), *which = PyTuple_GET_ITEM(self, 2), *done = NULL;
    int quiet = truth(capture, s_muted), differentiable = quiet ? 0 : truth(gradient, s_requires_grad);
    if (quiet < 0 || differentiable < 0) return NULL;
    if (quiet) return Py_NewRef(Py_None);
    PyObject *current = running_pass(capture);
    if (!current) return NULL;
    if (current == Py_None || differentiable) {
        done = PyObject_CallMethodObjArgs(capture, s__pushed, call, which, gradient, NULL);
    } else {
        PyObject *pushes = PyObject_GetAttr(current, s_pushes), *one = pushes ? PyTuple_Pack(3, call, which, gradient) : NULL;
        if (one && PyList_Append(pushes, one) == 0) done = Py_NewRef(Py_None);
        Py_XDECREF(pushes);
        Py_XDECREF(one);
    }
    Py_DECREF(current);
    return done;
}

/* The hook at an output of the discriminator; it is bound to (capture, call, which of its scores). */
static PyObject *pushed(PyObject *self, PyObject *gradient) {
    PyObject *capture = PyTuple_GET_ITEM(self, 0);
    return guarded(capture, "pushed", push(capture, self, gradient));
}

static PyObject *see_image(PyObject *capture, PyObject *gradient) {
    PyObject *done = NULL;
    const int quiet = truth(capture, s_muted);
    if (quiet) return quiet < 0 ? NULL : Py_NewRef(Py_None);
    PyObject *size = PyObject_CallMethodNoArgs(gradient, s_numel);
    const long long values = size ? PyLong_AsLongLong(size) : -1;
    Py_XDECREF(size);
    const int differentiable = values < 0 ? -1 : truth(gradient, s_requires_grad);
    if (differentiable < 0) return NULL;
    PyObject *current = running_pass(capture);
    if (!current) return NULL;
    if (current == Py_None || differentiable || values > whole_values) {
        done = PyObject_CallMethodOneArg(capture, s__at_image, gradient);
    } else {
        PyObject *images = PyObject_GetAttr(current, s_image_gradients);
        if (images && PyList_Append(images, gradient) == 0) done = Py_NewRef(Py_None);
        Py_XDECREF(images);
    }
    Py_DECREF(current);
    return done;
}

/* The hook at the generator's output. */
static PyObject *at_image(PyObject *capture, PyObject *gradient) { return guarded(capture, "at_image", see_image(capture, gradient)); }

static PyMethodDef push_hook = {"pushed", pushed, METH_O, NULL}, image_hook = {"at_image", at_image, METH_O, NULL};

/* -- hooks at modules: each returns True, or False where nothing was done because it is not the usual call */

/* `origin.Outputs.origin`. */
static PyObject *origin_of(PyObject *generated, PyObject *value, PyObject *made_by) {
    PyObject *table = NULL, *key = NULL, *known = NULL;
    if (made_by != Py_None) {
        if ((table = PyObject_GetAttr(generated, s__batch_of)) && (key = PyObject_CallMethodNoArgs(made_by, s__sequence_nr))) {
            PyObject *batch = PyDict_GetItemWithError(table, key), *attached = batch ? PyObject_GetAttr(generated, s__attached) : NULL;
            if (attached) known = Py_XNewRef(PyDict_GetItemWithError(attached, batch));
            Py_XDECREF(attached);
        }
    } else if ((key = storage_of(value)) && (table = PyObject_GetAttr(generated, s__own))) {
        const int own = PySequence_Contains(table, key);
        Py_DECREF(table);
        table = own == 0 ? PyObject_GetAttr(generated, s__storages) : NULL;
        if (own == 1) known = Py_NewRef(t_FAKE);
        if (table && PyDict_Contains(table, key) == 0) known = Py_NewRef(t_REAL);
    }
    Py_XDECREF(table);
    Py_XDECREF(key);
    return known || PyErr_Occurred() ? known : PyObject_CallMethodOneArg(generated, s_origin, value);
}

/* A Call of one score: all slots are filled, as its own constructor would, which costs a frame of Python's. */
static PyObject *new_call(PyObject *score, PyObject *image, PyObject *origin, PyObject *after) {
    PyObject *mine = PyObject_CallMethodNoArgs(score, s_detach), *version = mine ? PyObject_GetAttr(score, s__version) : NULL;
    PyObject *scores = version ? PyList_New(1) : NULL, *versions = scores ? PyList_New(1) : NULL;
    PyObject *call = versions ? PyType_GenericAlloc((PyTypeObject *)t_Call, 0) : NULL;
    if (!call) {
        Py_XDECREF(mine);
        Py_XDECREF(version);
        Py_XDECREF(scores);
        Py_XDECREF(versions);
        return NULL;
    }
    PyList_SET_ITEM(scores, 0, mine);
    PyList_SET_ITEM(versions, 0, version);
    if (PyObject_SetAttr(call, s_scores, scores) || PyObject_SetAttr(call, s_versions, versions) || PyObject_SetAttr(call, s_image, image) ||
        PyObject_SetAttr(call, s_origin, origin) || PyObject_SetAttr(call, s_after, after) || PyObject_SetAttr(call, s_penalised, Py_False))
        Py_CLEAR(call);
    Py_DECREF(scores);
    Py_DECREF(versions);
    return call;
}

static int note_call(PyObject *capture, PyObject *only, PyObject *output, PyObject *made_by, PyObject *given_by) {
    int done = -1, differentiable = truth(only, s_requires_grad);
    PyObject *generated = PyObject_GetAttr(capture, s_generated), *after = generated ? PyObject_GetAttr(generated, s_count) : NULL;
    PyObject *image = differentiable < 0 ? NULL : differentiable ? PyObject_CallMethodNoArgs(only, s_detach) : Py_NewRef(only);
    PyObject *origin = after && image ? origin_of(generated, only, given_by) : NULL;
    PyObject *call = origin ? new_call(output, image, origin, after) : NULL;
    PyObject *first = call ? PyLong_FromLong(0) : NULL, *self = first ? PyTuple_Pack(3, capture, call, first) : NULL;
    PyObject *hook = self ? PyCFunction_New(&push_hook, self) : NULL;
    if (hook) done = on_gradient(output, made_by, hook);
    Py_XDECREF(generated);
    Py_XDECREF(after);
    Py_XDECREF(image);
    Py_XDECREF(origin);
    Py_XDECREF(call);
    Py_XDECREF(first);
    Py_XDECREF(self);
    Py_XDECREF(hook);
    return done;
}

/* Whether a network's first call is behind it, and the operation that it ends in is known. */
static int known(PyObject *capture, PyObject *who, PyObject *operation) {
    PyObject *called = PyObject_GetAttr(capture, s_called);
    const int before = called ? PySet_Contains(called, who) : -1;
    Py_XDECREF(called);
    return before == 1 ? truth(capture, operation) : before;
}

/* Whether two shapes are of a batch and its scores: the first has an axis beside the batch's, and they differ (an energy-based game's do not). */
static int usual_shapes(PyObject *image, PyObject *score) {
    if (!PyTuple_Check(image) || PyTuple_GET_SIZE(image) < 2) return 0;
    const int same = PyObject_RichCompareBool(image, score, Py_EQ);
    return same < 0 ? -1 : !same;
}

static PyObject *discriminator_called(PyObject *module, PyObject *const *given, Py_ssize_t count) {
    if (count != 4) return PyErr_Format(PyExc_TypeError, "4 arguments, not %zd", count);
    PyObject *capture = given[0], *arguments = given[1], *named = given[2], *output = given[3];
    PyObject *form = NULL, *shape = NULL, *dtype = NULL, *made_by = NULL, *given_by = NULL;
    int done = 0;
    if ((PyObject *)Py_TYPE(output) != t_Tensor || !PyTuple_CheckExact(arguments) || PyTuple_GET_SIZE(arguments) != 1 ||
        !PyDict_CheckExact(named) || PyDict_GET_SIZE(named))
        return Py_NewRef(Py_False);
    PyObject *only = PyTuple_GET_ITEM(arguments, 0);
    if ((PyObject *)Py_TYPE(only) != t_Tensor) return Py_NewRef(Py_False);
    int usual = truth(output, s_requires_grad);
    if (usual == 1) usual = known(capture, s_discriminator, s_score_operation);
    if (usual == 1) usual = tracked(output);
    if (usual < 1) return answer(usual);
    done = -1;
    if ((dtype = PyObject_GetAttr(only, s_dtype)) && (form = PyObject_GetAttr(output, s_shape)) && (shape = PyObject_GetAttr(only, s_shape)))
        done = dtype != t_float32 ? 0 : usual_shapes(shape, form);
    if (done == 1) {
        done = -1;
        if (!PyObject_SetAttr(capture, s__score_form, form) && !tell(capture, s_on_call) && (made_by = PyObject_GetAttr(output, s_grad_fn)) &&
            (given_by = PyObject_GetAttr(only, s_grad_fn)))
            done = note_call(capture, only, output, made_by, given_by) ? -1 : 1;
    }
    Py_XDECREF(dtype);
    Py_XDECREF(form);
    Py_XDECREF(shape);
    Py_XDECREF(made_by);
    Py_XDECREF(given_by);
    return answer(done);
}

/* Deletes the oldest entries of a table that is to hold no more than `most`. */
static int trim(PyObject *table, long long most) {
    Py_ssize_t at = 0;
    PyObject *key, *value;
    if (PyDict_GET_SIZE(table) <= most || !PyDict_Next(table, &at, &key, &value)) return 0;
    Py_INCREF(key);
    const int failed = PyDict_DelItem(table, key);
    Py_DECREF(key);
    return failed;
}

/* `Outputs._let_go` of the oldest output, where as many are held as may be. */
static int let_go(PyObject *generated, PyObject *held, PyObject *own) {
    if (PyObject_Size(held) != held_outputs) return PyErr_Occurred() ? -1 : 0;
    PyObject *storage = PySequence_GetItem(own, 0), *used = storage ? PyObject_CallOneArg(t_holders, storage) : NULL;
    const long long holders = used ? PyLong_AsLongLong(used) : -1;
    int failed = used ? 0 : -1;
    if (holders > used_here) {
        PyObject *oldest = PySequence_GetItem(held, 0);
        PyObject *done = oldest ? PyObject_CallMethodObjArgs(generated, s__let_go, oldest, storage, NULL) : NULL;
        failed = done ? 0 : -1;
        Py_XDECREF(oldest);
        Py_XDECREF(done);
    }
    Py_XDECREF(storage);
    Py_XDECREF(used);
    return failed;
}

/* `Outputs.remember`. */
static int remember(PyObject *generated, PyObject *output, PyObject *made_by, PyObject *shape) {
    PyObject *held = PyObject_GetAttr(generated, s_held), *own = PyObject_GetAttr(generated, s__own);
    PyObject *number = NULL, *table = NULL, *mine = NULL, *storage = NULL, *added = NULL, *also = NULL;
    const long long so_far = whole(generated, s_count);
    int failed = -1;
    if (!held || !own || so_far < 0 || set_whole(generated, s_count, so_far + 1) || let_go(generated, held, own)) goto out;
    if (made_by != Py_None) {
        PyObject *batch = PyTuple_GET_ITEM(shape, 0);
        if (!(number = PyObject_CallMethodNoArgs(made_by, s__sequence_nr)) || !(table = PyObject_GetAttr(generated, s__batch_of)) ||
            PyDict_SetItem(table, number, batch) || trim(table, kept_outputs))
            goto out;
    }
    if ((mine = PyObject_CallMethodNoArgs(output, s_detach)) && (added = PyObject_CallMethodOneArg(held, s_append, mine)) &&
        (storage = storage_of(mine)) && (also = PyObject_CallMethodOneArg(own, s_append, storage)))
        failed = 0;
out:
    Py_XDECREF(held);
    Py_XDECREF(own);
    Py_XDECREF(number);
    Py_XDECREF(table);
    Py_XDECREF(mine);
    Py_XDECREF(storage);
    Py_XDECREF(added);
    Py_XDECREF(also);
    return failed;
}

static PyObject *generator_called(PyObject *module, PyObject *const *given, Py_ssize_t count) {
    if (count != 2) return PyErr_Format(PyExc_TypeError, "2 arguments, not %zd", count);
    PyObject *capture = given[0], *output = given[1], *generated = NULL, *made_by = NULL, *shape = NULL, *hook = NULL;
    if ((PyObject *)Py_TYPE(output) != t_Tensor) return Py_NewRef(Py_False);
    int usual = known(capture, s_generator, s_image_operation);
    if (usual == 1) usual = tracked(output);
    if (usual < 1) return answer(usual);
    int done = -1;
    if ((shape = PyObject_GetAttr(output, s_shape))) done = PyTuple_Check(shape) && PyTuple_GET_SIZE(shape) > 0;
    if (done == 1) {
        done = -1;
        const int differentiable = truth(output, s_requires_grad);
        if (differentiable >= 0 && !tell(capture, s_on_call) && (generated = PyObject_GetAttr(capture, s_generated)) &&
            (made_by = PyObject_GetAttr(output, s_grad_fn)) && !remember(generated, output, made_by, shape)) {
            if (!differentiable)
                done = 1;
            else if ((hook = PyCFunction_New(&image_hook, capture)))
                done = on_gradient(output, made_by, hook) ? -1 : 1;
        }
    }
    Py_XDECREF(shape);
    Py_XDECREF(generated);
    Py_XDECREF(made_by);
    Py_XDECREF(hook);
    return answer(done);
}

/* -- the module */

static int number_of(PyObject *given, long long *into) {
    *into = PyLong_AsLongLong(given);
    return *into == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *prepare(PyObject *module, PyObject *const *given, Py_ssize_t count) {
    Py_ssize_t i = 0, wanted = 0;
#define COUNT(NAME) wanted++;
    GIVEN(COUNT)
    if (count != wanted) return PyErr_Format(PyExc_TypeError, "%zd arguments, not %zd", wanted, count);
#define TAKE(NAME)                   \
    Py_INCREF(given[i]);             \
    Py_XSETREF(t_##NAME, given[i]);  \
    i++;
    GIVEN(TAKE)
    if (!PyType_Check(t_Tensor) || !PyType_Check(t_Call) || !PyType_Check(t_Pass))
        return PyErr_Format(PyExc_TypeError, "Tensor, Call and Pass are types");
    if (number_of(t_used_here, &used_here) || number_of(t_held_outputs, &held_outputs) || number_of(t_kept_outputs, &kept_outputs) ||
        number_of(t_whole_values, &whole_values) || number_of(t_most_open, &most_open) || number_of(t_learnt_in, &learnt_in) ||
        number_of(t_stale_first, &stale_first) || number_of(t_stale_every, &stale_every))
        return NULL;
    return Py_NewRef(Py_None);
}

static PyMethodDef functions[] = {{"prepare", (PyCFunction)(void (*)(void))prepare, METH_FASTCALL, NULL},
                                  {"discriminator_called", (PyCFunction)(void (*)(void))discriminator_called, METH_FASTCALL, NULL},
                                  {"generator_called", (PyCFunction)(void (*)(void))generator_called, METH_FASTCALL, NULL},
                                  {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "gandiag_hooks", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_gandiag_hooks(void) {
#define INTERN(NAME) \
    if (!(s_##NAME = PyUnicode_InternFromString(#NAME))) return NULL;
    NAMES(INTERN)
    return PyModule_Create(&definition);
}
