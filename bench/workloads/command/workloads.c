/* The five workloads in C: the work of the scripts above, step by step, with the same outputs. Reads {"program": …, "input": {"n": …}} from standard
   input and writes the output as JSON. How it is built: README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double arithmetic(int n) {
  double sum = 0, x = 1;
  for (int i = 0; i < n; i++) {
    sum = (double)(((long long)sum + (long long)i * 3 - (i >> 1)) % 1000003);
    x = (double)(((long long)x * 16807) % 2147483647);
    sum += (int)x & 15;
  }
  return sum;
}

static int nested(int n) {
  int count = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      for (int k = 0; k < n; k++) count += (i ^ j ^ k) & 1;
  return count;
}

static int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

/* Objects live on the heap, each by itself, and are found by their name through a hash table, as those of the script are. */
struct person {
  int id, age, tags[2];
  char name[16];
  int adult;
};
struct adult {
  int id, first;
  char name[16];
};

static unsigned hash(const char *key) {
  unsigned h = 2166136261u;
  while (*key) h = (h ^ (unsigned char)*key++) * 16777619u;
  return h;
}

static struct person **slot(struct person **table, unsigned size, const char *name) {
  unsigned at = hash(name) & (size - 1);
  while (table[at] && strcmp(table[at]->name, name)) at = (at + 1) & (size - 1);
  return &table[at];
}

static void objects(int n) {
  unsigned size = 16;
  while (size < 2u * (unsigned)n) size *= 2;
  struct person **by_key = calloc(size, sizeof *by_key), **people = malloc((size_t)n * sizeof *people);
  struct adult **adults = malloc((size_t)n * sizeof *adults);
  int keys = 0, adult_count = 0;
  for (int i = 0; i < n; i++) {
    struct person *person = malloc(sizeof *person), *copy = malloc(sizeof *copy);
    person->id = i;
    person->age = i % 90;
    person->tags[0] = i % 7;
    person->tags[1] = i % 11;
    person->adult = 0;
    snprintf(person->name, sizeof person->name, "p%d", i);
    *copy = *person;
    copy->adult = person->age > 17;
    people[i] = copy;
    struct person **place = slot(by_key, size, person->name);
    keys += !*place;
    *place = person;
  }
  for (int i = 0; i < n; i++) {
    if (!people[i]->adult) continue;
    struct adult *adult = malloc(sizeof *adult);
    adult->id = people[i]->id;
    adult->first = people[i]->tags[0];
    memcpy(adult->name, people[i]->name, sizeof adult->name);
    adults[adult_count++] = adult;
  }
  int sum = 0;
  for (int i = 0; i < adult_count; i++) sum += (*slot(by_key, size, adults[i]->name))->age + adults[i]->first;
  printf("[%d,%d,%d]", adult_count, sum, keys);
}

static void strings(int n) {
  char *text = malloc(2 * (size_t)n + 1), *joined = malloc(4 * (size_t)n + 16), *replaced = malloc(16 * (size_t)n + 64);
  int length = 0, words = 0, at = 0, out = 0, vowels = 0;
  for (int i = 0; i < n; i++) {
    text[length++] = (char)(97 + i % 26);
    if (i % 5 == 0) text[length++] = ' ';
  }
  text[length] = 0;
  for (char *word = text; word; words++) {
    int size = 0;
    while (word[size] && word[size] != ' ') size++;
    if (words) joined[at++] = '-';
    for (int i = 0; i < size; i++) joined[at++] = words % 2 ? (char)(word[i] - 32) : word[size - 1 - i];
    word = word[size] ? word + size + 1 : NULL;
  }
  joined[at] = 0;
  for (int i = 0; i < at;) {
    int run = 0;
    while (joined[i + run] >= 'A' && joined[i + run] <= 'Z') {
      replaced[out++] = (char)(joined[i + run] + 32);
      run++;
    }
    if (run) {
      out += sprintf(replaced + out, "%d", run);
      i += run;
    } else {
      replaced[out++] = joined[i++];
    }
  }
  replaced[out] = 0;
  for (int i = 0; i < out; i++) vowels += strchr("aeiou", replaced[i]) != NULL;
  printf("[%d,%d,%d,\"%.20s\"]", words, out, vowels, replaced);
}

int main(void) {
  static char input[4096];
  input[fread(input, 1, sizeof input - 1, stdin)] = 0;
  const char *number = strstr(input, "\"n\":");
  int n = number ? atoi(number + 4) : 0;
  if (strstr(input, "\"arithmetic\"")) printf("%.0f", arithmetic(n));
  else if (strstr(input, "\"nested\"")) printf("%d", nested(n));
  else if (strstr(input, "\"fibonacci\"")) printf("%d", fibonacci(n));
  else if (strstr(input, "\"objects\"")) objects(n);
  else if (strstr(input, "\"strings\"")) strings(n);
  else printf("null");
  return 0;
}
