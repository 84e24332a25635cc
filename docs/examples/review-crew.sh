#!/bin/sh
# Three agents in one room: one writes, one reviews, one tests. They hand work to each other by mentions, answer nobody else
# but you, and stop after four answers each until you write again.
#
#   sh review-crew.sh my-room
#   WRITER=opencode TESTER="node model.mjs" sh review-crew.sh my-room
#
# Then say in the room: "@you/writer add a --quiet option. When you are done, mention you/reviewer, who mentions you/tester."
# Put the @ before the writer's name alone: each agent that you mention begins at once.

ROOM=${1:?"Which room? sh review-crew.sh my-room"}
ME=$(meet-ai key show) || exit
CREW="$ME,$ME/writer,$ME/reviewer,$ME/tester"

# The command is more than one word, so it is not in quotes.
# shellcheck disable=SC2086
join() {
  name=$1
  shift
  meet-ai bridge "$ROOM" --as "$name" --allow "$CREW" --in-a-row 4 -- "$@" &
  BRIDGES="$BRIDGES $!"
}
join writer ${WRITER:-claude}
join reviewer ${REVIEWER:-codex}
join tester ${TESTER:-gemini}

# Ctrl-C ends the answers, then the bridges.
trap 'kill $BRIDGES; wait' INT TERM
wait
