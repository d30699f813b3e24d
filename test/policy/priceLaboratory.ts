/** Types with every kind of price: interfaces, unions, lists of lists, sizes and weights. */
export const priceLaboratory = `
  enum Color { RED BLUE }
  interface Item {
    id: ID!
    owner: Person
    rating: Int @cost(weight: 4)
    tags(first: Int): [String!] @listSize(assumedSize: 5, slicingArguments: ["first"])
  }
  type Book implements Item {
    id: ID!
    owner: Person
    rating: Int
    tags(first: Int): [String!] @listSize(assumedSize: 5, slicingArguments: ["first"])
    pages(first: Int = 3, ids: [ID!]): [Page!] @listSize(assumedSize: 10, slicingArguments: ["first", "ids"])
  }
  type Film implements Item @cost(weight: 5) {
    id: ID!
    owner: Person
    rating: Int @cost(weight: 2)
    tags(first: Int): [String!] @listSize(assumedSize: 5, slicingArguments: ["first"])
    scenes: [Scene!]! @listSize(assumedSize: 4)
  }
  type Page { number: Int! notes: [[Note!]!] @listSize(assumedSize: 3) }
  type Note { text: String }
  type Scene { title: String item: Item }
  extend type Scene @cost(weight: 2)
  type Person { name: String color: Color friend: Person @cost(weight: 7) stamps: [Int!] @cost(weight: 2) @listSize(assumedSize: 3) }
  union Found = Book | Film | Person
  type FoundConnection { edges: [FoundEdge!]! pageInfo: PageInfo! }
  type FoundEdge { cursor: String! node: Found }
  type Shelf { items: [Item!]! @listSize(assumedSize: 8) colors: [Color!] @listSize(assumedSize: 3) query: Query }
  extend type Query {
    item: Item @public
    items(first: Int!): [Item!] @public @listSize(slicingArguments: ["first"])
    book: Book @public
    found: Found @public
    find(first: Int, after: String): FoundConnection @public
    shelf(size: Int): Shelf @public @listSize(slicingArguments: ["size"], sizedFields: ["items"])
    shelves(first: Int): [Shelf] @public @listSize(assumedSize: 2)
    health: Person @public @cost(weight: 0)
    ping: Int @public @cost(weight: 0)
    oracle: Int @public @cost(weight: 50)
  }
  extend type Mutation {
    save(ids: [ID!]!): Shelf @public @audit(action: "shelf.save")
      @listSize(slicingArguments: ["ids"], sizedFields: ["items"]) @quota(argument: "ids", per: 2)
    cheap: Person @public @audit(action: "person.cheap") @cost(weight: 2)
    many(first: Int!): [Person!] @public @audit(action: "person.many") @listSize(slicingArguments: ["first"])
    count: Int @public @audit(action: "person.count")
  }
`;
