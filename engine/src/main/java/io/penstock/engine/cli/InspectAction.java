package io.penstock.engine.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.planning.Inspection;
import java.io.IOException;
import java.io.PrintStream;

/** {@code penstock inspect}. */
final class InspectAction implements Action<InspectCommand.Request> {
    private final PrintStream out;

    InspectAction(PrintStream out) {
        this.out = out;
    }

    @Override
    public void run(InspectCommand.Request request) throws IOException {
        ObjectNode found = Inspection.of(request.path());
        if (request.json()) {
            out.println(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(found));
        } else {
            out.print(Inspection.text(found));
        }
    }
}
