// Zig's own standard library and code generator: an arena, a hash map, sorting, checked arithmetic, formatting.
const std = @import("std");

fn collatz(start: u64) u32 {
    var n = start;
    var steps: u32 = 0;
    while (n != 1) : (steps += 1) {
        n = if (n % 2 == 0) n / 2 else 3 * n + 1;
    }
    return steps;
}

const Pair = struct { start: u64, steps: u32 };

fn longer(_: void, a: Pair, b: Pair) bool {
    return if (a.steps == b.steps) a.start < b.start else a.steps > b.steps;
}

pub fn main() !void {
    var arena = std.heap.ArenaAllocator.init(std.heap.page_allocator);
    defer arena.deinit();
    const allocator = arena.allocator();

    var seen = std.AutoHashMap(u32, u64).init(allocator);
    for (1..20000) |start| {
        const entry = try seen.getOrPut(collatz(start));
        if (!entry.found_existing) entry.value_ptr.* = start;
    }
    const pairs = try allocator.alloc(Pair, seen.count());
    var entries = seen.iterator();
    var used: usize = 0;
    while (entries.next()) |entry| : (used += 1) {
        pairs[used] = .{ .start = entry.value_ptr.*, .steps = entry.key_ptr.* };
    }
    std.mem.sort(Pair, pairs, {}, longer);
    for (pairs[0..10]) |pair| std.debug.print("{d:>6} takes {d} steps\n", .{ pair.start, pair.steps });

    var wide: u128 = 1;
    for (1..34) |factor| wide *= factor;
    const half: f32 = @floatFromInt(@as(u24, @truncate(wide >> 31)));
    std.debug.print("{x} {d:.3} {any}\n", .{ wide, @sqrt(half), @addWithOverflow(@as(u8, 200), 100) });
}
