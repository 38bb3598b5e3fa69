/** Names that templated sentences are filled with. Twelve of a kind give 66 pairs. */
export const ENTITIES = {
  event: list(
    "the flood,the drought,the strike,the war,the famine,the recession,the fire,the epidemic,the riot,the earthquake,the blackout,the landslide",
  ),
  country: list("France,Spain,Sweden,Brazil,India,Japan,Kenya,Canada,Poland,Egypt,Chile,Turkey"),
  city: list("Beijing,Shanghai,London,Madrid,Cairo,Lima,Oslo,Boston,Delhi,Sydney,Vienna,Nairobi"),
  person: list("Anna,Peter,Maria,Thomas,Laura,David,Julia,Robert,Helen,Martin,Clara,Simon"),
  company: list("Google,Microsoft,Intel,Sony,Boeing,Toyota,Nokia,Siemens,Disney,Oracle,Samsung,Pfizer"),
  language: list("English,French,German,Russian,Arabic,Chinese,Greek,Polish,Hindi,Korean,Dutch,Turkish"),
  animal: list(
    "the cat,the dog,the wolf,the bear,the owl,the snake,the fox,the eagle,the shark,the rat,the lion,the frog",
  ),
  food: list("garlic,chocolate,cheese,rice,honey,milk,bread,fish,salt,butter,corn,ginger"),
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A kind of entity. */
export type EntityKind = keyof typeof ENTITIES;

function list(names: string): readonly string[] {
  return names.split(",");
}

/** The two entities put into a template's `{a}` and `{b}`. */
export function fill(template: string, a: string, b: string): string {
  return template.replaceAll("{a}", a).replaceAll("{b}", b);
}
