/** The words that handles are made of. Not to be changed: a guest's are picked by position, so one word more renames people. */

const ADJECTIVES_TEXT = `
able agile airy amber ample arctic autumn azure balmy bold brave breezy bright brisk bronze bubbly calm candid careful
cheery civil clever cloudy coastal copper coral cosmic cosy crisp curious daring dawn deep deft dewy eager early earnest
easy electric elegant ember even fair fancy fearless fine fleet fond forest frank free fresh friendly frosty gentle
giddy glad gleaming golden graceful grand green happy hardy hazel hearty honest humble icy indigo ivory jade jaunty
jolly jovial keen kind lively loyal lucid lucky lunar mellow merry mighty mild misty modest mossy neat nimble noble
northern ocean olive opal patient placid plucky polar polite prompt proud quick quiet rapid ready royal ruby rustic
sandy scarlet serene sharp shiny silent silver sleek smart smooth snowy soft solar spry steady stellar still sunny
swift tender tidy tranquil trusty upbeat velvet vivid warm wild wise witty young zesty`;

const ANIMALS_TEXT = `
albatross alpaca antelope badger bat bear beaver bee beetle bison bluejay boar bobcat buffalo bunny butterfly camel
canary caribou cat cheetah chickadee cicada clam cobra condor cormorant cougar coyote crab crane cricket crow deer
dingo dolphin donkey dove dragonfly duck eagle egret eland elk emu falcon ferret finch firefly flamingo fox frog gannet
gazelle gecko gibbon giraffe goat goose gopher grouse gull hare hawk hedgehog heron hippo hornet horse hummingbird ibex
ibis iguana impala jackal jaguar jay kestrel kingfisher kite kiwi koala koi lark lemming lemur leopard lion lizard llama
lobster loon lynx macaw magpie mallard manatee mantis marlin marmot marten meerkat mink mole mongoose moose moth mouse
mule narwhal newt nightingale ocelot octopus okapi opossum orca oriole osprey otter owl oyster panda panther parrot
pelican penguin pheasant pigeon pika plover pony porcupine possum puffin puma quail rabbit raccoon raven reindeer robin
rooster salmon sandpiper seal shark sheep skylark sloth snail sparrow squid squirrel starling stork swallow swan tapir
tern tiger toad toucan trout turtle viper vole walrus wasp weasel whale wolf wombat woodpecker wren yak zebra`;

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const ADJECTIVES = words(ADJECTIVES_TEXT);
export const ANIMALS = words(ANIMALS_TEXT);
