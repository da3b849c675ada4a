package io.penstock.tensor.cuda;

import io.penstock.tensor.Tensor;
import io.penstock.tensor.cuda.Launcher.Typed;

/** SwiGLU and its gradients: kernels of swiglu.cu, a thread for eight elements. */
final class SwiGlus {
    private final Launcher launcher;
    private final Typed forward;
    private final Typed gradient;

    SwiGlus(Launcher launcher) {
        this.launcher = launcher;
        forward = Typed.of(launcher.gpu(), "swiglu", "swiglu");
        gradient = Typed.of(launcher.gpu(), "swiglu", "swiglu_gradient");
    }

    void forward(Tensor y, Tensor gate, Tensor up) {
        launcher.begin()
                .put(y)
                .put(gate)
                .put(up)
                .put(y.elements())
                .launchOverEights(forward.of(y.dtype()), y.elements());
    }

    void backward(Tensor dgate, Tensor dup, Tensor dy, Tensor gate, Tensor up) {
        launcher.begin()
                .put(dgate)
                .put(dup)
                .put(dy)
                .put(gate)
                .put(up)
                .put(dy.elements())
                .launchOverEights(gradient.of(dy.dtype()), dy.elements());
    }
}
