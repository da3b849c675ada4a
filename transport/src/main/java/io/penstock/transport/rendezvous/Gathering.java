package io.penstock.transport.rendezvous;

import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who has come so far; ends complete, or late with a list of the missing. Shared by the threads of the connections. */
final class Gathering {
    private final RendezvousSettings settings;
    private final long deadlineNs;
    private final @Nullable Member[] members;
    private @Nullable Membership complete;
    private @Nullable String failure;

    Gathering(RendezvousSettings settings) {
        this.settings = settings;
        this.deadlineNs = System.nanoTime() + settings.limitNs();
        this.members = new Member[settings.worldSize()];
    }

    /** Returns null after taking the rank in, or why it was refused. */
    synchronized @Nullable String admit(JoinRequest request) {
        String difference = Differences.between(settings, request);
        if (difference != null) {
            return difference;
        }
        Member newcomer = request.member();
        Member before = members[newcomer.rank()];
        if (before != null) {
            return "rank " + newcomer.rank() + " is taken: " + name(before) + " joined as it, " + name(newcomer)
                    + " is refused";
        }
        if (failure != null) {
            return failure;
        }
        members[newcomer.rank()] = newcomer;
        if (joined() == members.length) {
            List<Member> all = new ArrayList<>();
            for (Member member : members) {
                if (member != null) {
                    all.add(member);
                }
            }
            complete = new Membership(new SecureRandom().nextLong(), settings.epoch(), all);
        }
        notifyAll();
        return null;
    }

    synchronized void abandon(String reason) {
        if (complete == null && failure == null) {
            failure = reason;
        }
        notifyAll();
    }

    /** Waits for the end; throws {@link RendezvousException} if it is not a good one. */
    synchronized Membership await() {
        while (complete == null && failure == null) {
            long leftNs = deadlineNs - System.nanoTime();
            if (leftNs <= 0) {
                failure = late();
                notifyAll();
                break;
            }
            try {
                wait(leftNs / 1_000_000 + 1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new RendezvousException("interrupted: " + late(), e);
            }
        }
        if (complete == null) {
            throw new RendezvousException(String.valueOf(failure));
        }
        return complete;
    }

    private int joined() {
        int count = 0;
        for (Member member : members) {
            count += member == null ? 0 : 1;
        }
        return count;
    }

    private String late() {
        List<String> missing = new ArrayList<>();
        for (int rank = 0; rank < members.length; rank++) {
            if (members[rank] == null) {
                missing.add(Integer.toString(rank));
            }
        }
        return joined() + " of " + members.length + " joined: missing " + String.join(", ", missing);
    }

    private static String name(Member member) {
        return "process " + member.pid() + " on " + member.host();
    }
}
