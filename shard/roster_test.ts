import assert from "node:assert/strict";
import { Roster, type Seat } from "./roster.ts";

function membersOf(roster: Roster<number>): number[] {
  const members: number[] = [];
  roster.forEach((member) => members.push(member));
  return members.sort((a, b) => a - b);
}

Deno.test("remove() lets anybody go, once", () => {
  const roster = new Roster<number>();
  const seats = [1, 2, 3, 4].map((member) => roster.add(member)) as [
    Seat<number>,
    Seat<number>,
    Seat<number>,
    Seat<number>,
  ];
  assert.ok(roster.remove(seats[0]));
  assert.ok(!roster.remove(seats[0]));
  assert.deepEqual(membersOf(roster), [2, 3, 4]);
  assert.ok(roster.remove(seats[3]));
  assert.ok(roster.remove(seats[1]));
  assert.deepEqual([membersOf(roster), roster.size], [[3], 1]);
  const back = roster.add(1);
  assert.ok(roster.remove(seats[2]));
  assert.ok(roster.remove(back));
  assert.equal(roster.size, 0);
});

Deno.test("forEach() leaves out who goes before its turn, and who comes meanwhile", () => {
  const roster = new Roster<number>();
  const seats = [1, 2, 3].map((member) => roster.add(member));
  const visited: number[] = [];
  roster.forEach((member) => {
    visited.push(member);
    if (member !== 1) return;
    for (const seat of seats.slice(0, 2)) roster.remove(seat);
    roster.add(4);
  });
  assert.deepEqual(visited, [1, 3]);
  assert.deepEqual(membersOf(roster), [3, 4]);
});
