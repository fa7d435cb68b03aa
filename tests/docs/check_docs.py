#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do the documents tell the truth?

    BUSWAY=path/to/busway check_docs.py [--write] SOURCE_ROOT

Speaks TAP. With --write, nothing is tested, and the output of the commands that are shown is
written anew: read the difference before it is committed. What is checked:

  - commands that are shown with their output print that output today, and exit as they say.
    In Markdown such a block follows a comment, in a man page a comment line stands in front:

        <!-- run: busway why boards/juno-r1.dts pcie@40000000 0x1000 -->
        <!-- run (exit 1): busway map boards/juno-r1.dts pcie@40000000 0x1000+4K -->
        .\\" run: busway --version

    The block begins with "$ " and the command. Commands run in the source root. Besides busway,
    the programs of examples/ can be shown; an argument NAME.dtb is boards/NAME.dts, compiled.
  - pieces of files that are quoted ("<!-- from: examples/first.c -->") stand in that file;
  - every reason, note, option and command of the sources is documented, and nothing that is
    documented has gone;
  - every key of the JSON output is described in docs/json.md, and none that is never printed;
  - man pages are without warnings, and links between documents lead somewhere;
  - the completion offers what there is.

Environment: BUSWAY, the command; BUSWAY_EXAMPLES, the folder of the compiled examples.
"""
import glob
import json
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(sys.argv[-1])
BUSWAY = os.path.abspath(os.environ.get('BUSWAY', 'build/src/cli/busway'))
EXAMPLES = os.environ.get('BUSWAY_EXAMPLES', '')
WORK = tempfile.mkdtemp(prefix='busway-docs-')

MARKDOWN = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'conformance/README.md'] + sorted(
    os.path.relpath(p, ROOT) for p in glob.glob(os.path.join(ROOT, 'docs', '*.md')))
MAN = sorted(os.path.relpath(p, ROOT)
             for p in glob.glob(os.path.join(ROOT, 'docs', 'man', '*.[1-9]')))

tests = []


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        return f.read()


def test(name):
    """A test returns a list of complaints, or a string: why it is skipped."""
    def take(function):
        tests.append((name, function))
        return function
    return take


# ---- commands with their output -----------------------------------------------------------


class Shown:
    """A command that a document shows: the lines first..end-1 of @path, without the fences."""

    def __init__(self, path, command, status, first, end):
        self.path, self.command, self.status = path, command, status
        self.first, self.end = first, end
        self.where = f'{path}:{first}'


RUN = r'run(?: \(exit (\d)\))?: (.+)'


def all_shown():
    for paths, mark, opening, closing in (
            (MARKDOWN, '<!-- ' + RUN + ' -->', '```', '```'),
            (MAN, r'\.\\" ' + RUN, '.Bd -literal', '.Ed')):
        for path in paths:
            lines = read(path).split('\n')
            for i, line in enumerate(lines):
                m = re.fullmatch(mark, line)
                if m and lines[i + 1].startswith(opening):
                    yield Shown(path, m[2], int(m[1] or 0), i + 2, lines.index(closing, i + 2))
                elif m:
                    raise ValueError(f'{path}:{i + 1}: no block follows')


def plain(path, line):
    """A line of a block as it is rendered."""
    if path.endswith('.md'):
        return line
    line = line[2:] if line.startswith('\\&') else line
    return line.replace('\\-', '-').replace('\\e', '\\')


def escaped(path, line):
    """The opposite."""
    if path.endswith('.md'):
        return line
    line = line.replace('\\', '\\e').replace('-', '\\-')
    return '\\&' + line if line[:1] in ('.', "'") else line


def compiled(argument):
    """The tree that "NAME.dtb" stands for."""
    source = os.path.join(ROOT, 'boards', os.path.basename(argument)[:-1] + 's')
    tree = os.path.join(WORK, os.path.basename(argument))
    if not os.path.exists(tree):
        subprocess.run(['dtc', '-q', '-Idts', '-Odtb', '-o', tree, source], check=True,
                       stderr=subprocess.DEVNULL)
    return tree


def program(name):
    return BUSWAY if name == 'busway' else os.path.join(EXAMPLES, os.path.basename(name))


def run(command):
    """Exit status and lines of both outputs; None for an example where they are not built."""
    words = shlex.split(command)
    if words[0] != 'busway' and not EXAMPLES:
        return None
    words = [program(words[0])] + [compiled(w) if w.endswith('.dtb') else w for w in words[1:]]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False)
    return done.returncode, done.stdout.decode().rstrip('\n').split('\n')


def differences(shown, printed):
    for i in range(max(len(shown), len(printed))):
        a = shown[i] if i < len(shown) else '(nothing)'
        b = printed[i] if i < len(printed) else '(nothing)'
        if a != b:
            return [f'  shown:   {a}', f'  printed: {b}']
    return []


def check_shown(item):
    shown = [plain(item.path, line) for line in read(item.path).split('\n')[item.first:item.end]]
    if shown[:1] != ['$ ' + item.command]:
        return [f'{item.where}: the block does not begin with: $ {item.command}']
    result = run(item.command)
    if result is None:
        return []
    status, printed = result
    bad = differences(shown[1:], printed)
    if status != item.status:
        bad.append(f'  exit status {status}, not {item.status}')
    return [f'{item.where}: {item.command}'] + bad if bad else []


def write_shown():
    """Put what the commands print today into the documents."""
    for item in reversed(list(all_shown())):  # from the end of each file, so that lines stay
        result = run(item.command)
        if result is None:
            print(f'{item.where}: not built: {item.command}', file=sys.stderr)
            continue
        if result[0] != item.status:
            print(f'{item.where}: exit status {result[0]}, not {item.status}', file=sys.stderr)
        lines = read(item.path).split('\n')
        lines[item.first:item.end] = [escaped(item.path, line)
                                      for line in ['$ ' + item.command] + result[1]]
        with open(os.path.join(ROOT, item.path), 'w', encoding='utf-8') as f:
            f.write('\n'.join(lines))


@test('commands that are shown print what is shown')
def _():
    items = list(all_shown())
    if len(items) < 10:
        return [f'only {len(items)} commands are marked']
    return [line for item in items for line in check_shown(item)]


@test('what is quoted from files stands in them')
def _():
    bad, seen = [], 0
    for path in MARKDOWN:
        lines = read(path).split('\n')
        for i, line in enumerate(lines):
            m = re.fullmatch(r'<!-- from: (\S+) -->', line)
            if not m:
                continue
            seen += 1
            end = lines.index('```', i + 2)
            if '\n'.join(lines[i + 2:end]) + '\n' not in read(m[1]):
                bad.append(f'{path}:{i + 1}: this is not in {m[1]}')
    return bad if seen else ['nothing is quoted']


@test('every block of commands or C in a document is one that is checked')
def _():
    bad = []
    for path in MARKDOWN:
        lines = read(path).split('\n')
        for i, line in enumerate(lines):
            is_session = line.startswith('```') and i + 1 < len(lines) and \
                lines[i + 1].startswith('$ busway')
            marked = i and re.match(r'<!-- (run|from)\b', lines[i - 1])
            if (is_session or line == '```c') and not marked:
                bad.append(f'{path}:{i + 1}: not marked with run: or from:')
    return bad


# ---- codes, options, commands --------------------------------------------------------------


def codes(header, table):
    """The second argument of each X() in a table of a header."""
    text = read(header)
    start = text.index(f'#define {table}(X)')
    end = re.compile(r'[^\\]\n').search(text, start).end()
    return re.findall(r'X\(BUSWAY_\w+,\s*"([^"]+)"', text[start:end].replace('\\\n', ' '))


def section(man, name):
    """The lines of one section of a man page."""
    return man.split(f'.Sh {name}\n', 1)[1].split('\n.Sh ', 1)[0] if f'.Sh {name}\n' in man else ''


def compare(what, wanted, found):
    return [f'{what} is not documented: {w}' for w in sorted(set(wanted) - set(found))] + \
        [f'{what} is documented and does not exist: {f}' for f in sorted(set(found) - set(wanted))]


@test('every reason and every note is in busway(1)')
def _():
    man = read('docs/man/busway.1')
    bad = []
    for what, header, table, heading in (
            ('reason', 'include/busway/refusal.h', 'BUSWAY_REASONS', 'REFUSALS'),
            ('note', 'include/busway/platform.h', 'BUSWAY_NOTES', 'RULES')):
        wanted = codes(header, table)
        found = re.findall(r'^\.It Sy (\S+)$', section(man, heading), re.M)
        bad += compare(what, wanted, found) if wanted else [f'{table} has no codes']
    return bad


@test('every finding has a page, and every page a finding')
def _():
    pages = glob.glob(os.path.join(ROOT, 'docs', 'check', '*.md'))
    found = [os.path.basename(p)[:-3] for p in pages if os.path.basename(p) != 'README.md']
    wanted = re.findall(r'^\tX\(\w+, "([a-z-]+)"', read('include/busway/check.h'), re.M)
    return compare('finding', wanted, found) + \
        [f'docs/check/{code}.md does not begin with its name' for code in found
         if not read(f'docs/check/{code}.md').startswith(f'# {code}\n')]


def options():
    """Long options of the command, and those of one letter."""
    text = read('src/cli/options_table.c')
    return (re.findall(r'\{"([a-z-]+)", (?:no|required)_argument', text),
            re.findall(r"_argument, NULL, '(\w)'", text))


def commands():
    """The commands that main.c lists."""
    names = re.search(r'commands\[\] = \{(.*?)\};', read('src/cli/main.c'), re.S)[1]
    return re.findall(r'&command_(\w+)', names)


def long_options_of(man):
    """--NAME, written as the flag "-NAME" in mdoc."""
    return re.findall(r'\bFl \\?-([a-z][a-z-]*)', man.replace('\\-', '-'))


@test('every option is in a man page and in the completion')
def _():
    long, short = options()
    found = [o for path in MAN for o in long_options_of(read(path))]
    completion = re.findall(r'--([a-z-]+)', read('completion/busway'))
    flags = ' '.join(read(path) for path in MAN)
    return compare('option', long, found) + \
        compare('option (in the completion)', long, completion) + \
        [f'option is not documented: -{s}' for s in short if f'Fl {s}' not in flags]


@test('every command has a man page, a place in busway(1), and completion')
def _():
    bad = []
    main, build = read('docs/man/busway.1'), read('docs/meson.build')
    completion = read('completion/busway')
    if len(commands()) < 5:
        bad.append(f'only {commands()} found in main.c')
    for name in commands():
        page = f'docs/man/busway-{name}.1'
        if page not in MAN:
            bad.append(f'there is no {page}')
        if f'busway-{name} 1' not in main:
            bad.append(f'busway(1) does not refer to busway-{name}(1)')
        if not re.search(rf'\b{name}\b', completion):
            bad.append(f'the completion does not know {name}')
    for path in MAN:
        if os.path.basename(path) not in build:
            bad.append(f'{path} is not installed by docs/meson.build')
    for path in MAN:
        name = re.fullmatch(r'busway-(\w+)\.1', os.path.basename(path))
        if name and name[1] not in commands():
            bad.append(f'{path} is about a command that does not exist')
    return bad


@test('an option is documented where the help of the command names it')
def _():
    bad = []
    for name in commands():
        own = subprocess.run([BUSWAY, name, '--help'], stdout=subprocess.PIPE, check=True)
        own = own.stdout.decode().split('\nCommon options:')[0]
        known = long_options_of(read(f'docs/man/busway-{name}.1'))
        for option in re.findall(r'^  (?:.*, )?--([a-z-]+)', own, re.M):
            if option not in known:
                bad.append(f'busway-{name}(1) does not tell of --{option}')
    return bad


@test('every public function is in a document')
def _():
    text = read('docs/c-api.md') + read('docs/man/busway.3')
    exported = re.findall(r'^\t\t(busway_\w+);', read('src/libbusway.map'), re.M)
    bad = [f'not in docs/c-api.md nor busway(3): {f}' for f in exported if f not in text]
    gone = set(re.findall(r'\b(busway_\w+)\(', text))
    headers = ' '.join(read(os.path.relpath(p, ROOT))
                       for p in glob.glob(os.path.join(ROOT, 'include', 'busway', '*.h')))
    return bad + [f'documented, but in no header: {f}' for f in sorted(gone)
                  if f + '(' not in headers]


# ---- JSON ----------------------------------------------------------------------------------


def keys_of(value, found):
    if isinstance(value, dict):
        found.update(value)
        value = value.values()
    if not isinstance(value, (str, int, float, bool, type(None))):
        for v in value:
            keys_of(v, found)


def write_table(signature, body):
    path = os.path.join(WORK, 'table.' + signature.decode())
    with open(path, 'wb') as file:
        file.write(struct.pack('<4sIBB26x', signature, 36 + len(body), 1, 0) + body)
    return path


def dmar():
    """A file with a DMAR: one unit, for 00:02.0."""
    scope = struct.pack('<BB2xBBBB', 1, 8, 0, 0, 2, 0)
    return write_table(b'DMAR', struct.pack('<BB10xHHBxHQ', 45, 1, 0, 24, 0, 0, 0xfed90000) + scope)


def iort():
    """A file with an IORT: an SMMUv3, a root complex whose IDs it takes, and reserved memory."""
    def node(kind, data, mappings=b''):
        head = struct.pack('<BHBIII', kind, 16 + len(data) + len(mappings), 0, kind,
                           len(mappings) // 20, 16 + len(data))
        return head + data + mappings
    smmu = node(4, struct.pack('<Q44x', 0x9050000))
    root = node(2, struct.pack('<8xIIB3x', 0, 0, 48), struct.pack('<IIIII', 0, 0xffff, 0, 48, 0))
    kept = node(6, struct.pack('<IIIQQI', 0, 1, 28, 0xa0000000, 0x10000, 0),
                struct.pack('<IIIII', 0, 0, 0x10, 48, 0))
    return write_table(b'IORT', struct.pack('<III', 3, 48, 0) + smmu + root + kept)


def grouped_machine():
    """A folder with a sys/ tree: a bridge and a function below it, in one IOMMU group."""
    root = os.path.join(WORK, 'grouped')
    devices = os.path.join(root, 'sys/bus/pci/devices')
    os.makedirs(devices)
    for path, kind in (('0000:00:01.0', 1), ('0000:00:01.0/0000:01:00.0', 0)):
        place = os.path.join(root, 'sys/devices/pci0000:00', path)
        os.makedirs(place)
        header = bytearray(64)
        header[0:4], header[14] = b'\x34\x12\x78\x56', kind
        header[25:27] = b'\x01\x01' if kind else b'\x00\x00'
        with open(os.path.join(place, 'config'), 'wb') as file:
            file.write(header)
        os.symlink('../../../kernel/iommu_groups/1', os.path.join(place, 'iommu_group'))
        os.symlink('../../../devices/pci0000:00/' + path,
                   os.path.join(devices, os.path.basename(path)))
    return root


def some_json():
    """Outputs of every command that has one; between them every key is there."""
    boards = sorted(glob.glob(os.path.join(ROOT, 'boards', '*.dts')))
    host, disk = 'pcie@7d500000', 'mmc@7e340000'
    board = os.path.join(ROOT, 'boards', 'rpi4-8g.dts')
    for b in boards + [os.path.join(ROOT, 'tests', 'import', 'trees', 'translate.dts')]:
        yield ['show', b, '--all', '--coherent-mask', '32']
    yield ['show', os.path.join(ROOT, 'boards', 'juno-r1.dts'), '--iova']
    yield ['why', board, disk, '0xc0000000']
    yield ['why', board, disk, '0x0']
    yield ['map', board, disk, '0x1000+4K', '0x80000000+4K']
    yield ['alloc', board, f'{disk},{host}', '4K']
    yield ['check', board]
    machine = os.path.join(ROOT, 'tests', 'data', 'machines', 'workstation')
    yield ['p2p', machine]
    yield ['p2p', machine, '03:00.0', '04:00.0']
    yield ['show', dmar()]
    yield ['show', iort()]
    yield ['p2p', grouped_machine(), '--groups']
    yield ['bench', 'D']


@test('docs/json.md describes every key that is printed, and no other')
def _():
    described = re.findall(r'^\| `(\w+)`', read('docs/json.md'), re.M)
    printed, bad = set(), []
    for arguments in some_json():
        done = subprocess.run([BUSWAY] + arguments + ['--format', 'json'], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            bad.append(f'no JSON from busway {" ".join(arguments)}')
            continue
        keys_of(answer, printed)
        if f'`{answer["schema"]}`' not in read('docs/json.md'):
            bad.append(f'schema is not described: {answer["schema"]}')
    return bad + compare('key', printed, described)


# ---- recipes ----


def blocks(path, mark):
    """The fenced blocks behind <!-- mark -->."""
    return re.findall(rf'^<!-- {mark} -->\n```\w*\n(.*?)^```$', read(path), re.M | re.S)


@test('the YAML of docs/ci.md is YAML')
def _():
    try:
        import yaml
    except ImportError:
        return 'python3-yaml is not installed'
    found = re.findall(r'^```yaml\n(.*?)^```$', read('docs/ci.md'), re.M | re.S)
    marked = blocks('docs/ci.md', 'workflow') + blocks('docs/ci.md', 'yaml')
    bad = [] if len(found) == len(marked) >= 3 else ['a block of YAML is not marked']
    for text in found:
        if not isinstance(yaml.safe_load(text), dict):
            bad.append('no object: ' + text.split('\n', maxsplit=1)[0])
    return bad


def steps():
    """{name: shell commands} of the workflow, read without a YAML library."""
    found = {}
    for text in blocks('docs/ci.md', 'workflow'):
        for name, script in re.findall(r'^      - name: (.*)\n        run: \|\n((?:          .*\n)+)',
                                       text, re.M):
            found[name] = re.sub(r'^          ', '', script, flags=re.M)
    return found


@test('the commands of docs/ci.md do what they should')
def _():
    if not all(map(shutil.which, ('dtc', 'cpp', 'bash', 'find', 'xargs'))):
        return 'dtc, cpp or bash is not installed'
    if os.path.basename(BUSWAY) != 'busway':
        return 'the command is not called busway'
    folder = os.path.join(WORK, 'ci')
    os.makedirs(os.path.join(folder, 'dts'))
    os.makedirs(os.path.join(folder, 'include'))

    def write(name, text):
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
            f.write(text)

    def shell(script):
        done = subprocess.run(['bash', '-e', '-c', script], cwd=folder, check=False,
                              env={**os.environ, 'PATH': os.path.dirname(BUSWAY) + ':' +
                                   os.environ['PATH']},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        return done.returncode, done.stdout.decode()

    history = 'tests/check/history/rk356x-pcie-64bit-aperture/'
    write('include/size.h', '#define GIBIBYTE 0x40000000\n')
    write('dts/known-findings', blocks('docs/ci.md', 'file: dts/known-findings')[0])
    script, bad = steps(), []
    build, sarif, fail = (script[name] for name in
                          ('Build the trees', 'Write SARIF', 'Fail on errors'))
    hook = re.search(r'entry: (.*)', read('docs/ci.md'))[1]
    shell_block = blocks('docs/ci.md', 'shell')[0]
    for version, status in (('before', 1), ('after', 0)):
        shutil.rmtree(os.path.join(folder, 'out'), ignore_errors=True)
        write('dts/board.dts', '#include <size.h>\n' + read(history + version + '.dts').replace(
            '0x40000000>;', 'GIBIBYTE>;'))
        for what, command, wanted in (('build', build, 0), ('sarif', sarif, 0),
                                      ('fail', fail, status), ('hook', hook + ' out/*.dts', status),
                                      ('dtb', 'dtc -qq -O dtb -o out/x.dtb out/board.dts', 0),
                                      ('find', shell_block, 123 if status else 0)):
            found, said = shell(command)
            if found != wanted:
                bad += [f'{what}, {version}: exit status {found}, not {wanted}'] + said.split('\n')
        with open(os.path.join(folder, 'busway.sarif'), encoding='utf-8') as f:
            results = [r for r in json.load(f)['runs'][0]['results'] if r['level'] == 'error']
        places = [(p['artifactLocation']['uri'], p['region']['startLine'])
                  for p in (r['locations'][0]['physicalLocation'] for r in results)]
        line = read(history + version + '.dts').split('\tranges =')[0].count('\n') + 2
        if places != [('dts/board.dts', line)] * status:
            bad.append(f'{version}: the places are {places}, not line {line} of the source')
    return bad


# ---- form ----------------------------------------------------------------------------------


@test('man pages are without warnings')
def _():
    bad, checkers = [], 0
    for path in MAN:
        full = os.path.join(ROOT, path)
        if shutil.which('man') and shutil.which('groff'):
            checkers += 1
            done = subprocess.run(['man', '--warnings=all', '-P', 'cat', '-l', full],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
                                  env={**os.environ, 'MANWIDTH': '80'})
            bad += [f'{path}: {line}' for line in done.stderr.decode().splitlines()]
        if shutil.which('mandoc'):
            checkers += 1
            done = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', full],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            bad += done.stdout.decode().splitlines()
    return bad if checkers else 'neither man with groff nor mandoc is installed'


@test('man pages have the sections that a reader looks for')
def _():
    bad = []
    for path in MAN:
        text = read(path)
        wanted = ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXAMPLES', 'SEE ALSO']
        if path.endswith('.1'):
            wanted.append('EXIT STATUS')
        bad += [f'{path}: no section {w}' for w in wanted if f'.Sh {w}\n' not in text]
        for name, number in re.findall(r'^\.Xr (busway\S*) (\d)', text, re.M):
            if f'docs/man/{name}.{number}' not in MAN:
                bad.append(f'{path}: there is no {name}({number})')
    return bad


@test('links between documents lead somewhere')
def _():
    bad = []
    for path in MARKDOWN:
        text = re.sub(r'```.*?```', '', read(path), flags=re.S)
        for target in re.findall(r'\]\(([^)\s]+)\)', text):
            file, _, anchor = target.partition('#')
            if '://' in target:
                continue
            full = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            if not os.path.exists(os.path.join(ROOT, full)):
                bad.append(f'{path}: {target} does not exist')
            elif anchor and anchor not in anchors(full):
                bad.append(f'{path}: {target}: there is no such heading')
    return bad


def anchors(path):
    """Headings as links name them."""
    return [re.sub(r'[^\w\- ]', '', h.lower()).replace(' ', '-')
            for h in re.findall(r'^#+ (.+)$', read(path), re.M)]


# ---- completion ----------------------------------------------------------------------------


def complete(line, replaced):
    """What the shell would offer behind @line, of which it is to replace the end @replaced."""
    script = f'''
        PATH={shlex.quote(os.path.dirname(BUSWAY))}:$PATH
        . {shlex.quote(os.path.join(ROOT, 'completion', 'busway'))}
        COMP_LINE=$1 COMP_POINT=${{#1}}
        _busway busway "$2"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    '''
    done = subprocess.run(['bash', '-c', script, 'bash', line, replaced], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    return done.stdout.decode().split() + done.stderr.decode().splitlines()


@test('the completion offers what there is')
def _():
    if not shutil.which('bash') or not shutil.which('dtc'):
        return 'bash or dtc is not installed'
    if os.path.basename(BUSWAY) != 'busway':
        return 'the command is not called busway'
    board = 'boards/rpi4-8g.dts'
    cases = [  # the line, what of its end is replaced, what is offered for that
        ('busway ', '', set(commands()) | {'help', '--help', '--version'}),
        ('busway sh', 'sh', {'show'}),
        ('busway help w', 'w', {'why'}),
        ('busway show --form', '--form', {'--format'}),
        ('busway show --format ', '', {'text', 'json', 'svg'}),
        ('busway why --format ', '', {'text', 'json'}),
        ('busway show --format=j', 'j', {'json'}),
        ('busway why --access r', 'r', {'read', 'read-write'}),
        ('busway map --color ', '', {'auto', 'always', 'never'}),
        ('busway show boards/rpi4-8', 'boards/rpi4-8', {board}),
        (f'busway show {board} /emmc', '/emmc', {'/emmc2bus', '/emmc2bus/mmc@7e340000'}),
        (f'busway show {board} mmc@7e34', 'mmc@7e34', {'mmc@7e340000'}),
        (f'busway show {board} mmc@7e34', '@7e34', {'@7e340000'}),
        (f'busway map --mask 32 {board} ether', 'ether', {'ethernet@7d580000'}),
        (f'busway alloc {board} mmc@7e340000,ether', '@7e340000,ether',
         {'@7e340000,ethernet@7d580000'}),
        ('busway show nothing.dts ', '', set()),
        ('busway check --format ', '', {'text', 'json', 'sarif'}),
        ('busway p2p --format ', '', {'text', 'json', 'svg', 'dot'}),
        ('busway p2p li', 'li', {'live'}),
        ('busway p2p tests/data/machines/workstation 06', '06', {'06:00.0', '06:00.1'}),
        ('busway p2p tests/data/machines/workstation 06:00.', '06:00.', {'06:00.0', '06:00.1'}),
        ('busway p2p tests/data/machines/workstation 06:00.', '00.', {'00.0', '00.1'}),
        ('busway check --fail-on ', '', {'note', 'warning', 'error', 'never'}),
        ('busway check --suppress bank', 'bank', {'bank-ignored', 'bank-overlap'}),
        ('busway check --explain=al', 'al', {'all'}),
        ('busway check --suppressions README', 'README', {'README.md'}),
        ('busway check boards/rpi5.dts boards/rpi4-8', 'boards/rpi4-8', {board}),
    ]
    return [f'{line!r}: {sorted(found)}, not {sorted(wanted)}' for line, end, wanted in cases
            for found in [complete(line, end)] if set(found) != wanted]


# ---- TAP -----------------------------------------------------------------------------------


def main():
    if '--write' in sys.argv[1:]:
        write_shown()
        return False
    print(f'1..{len(tests)}')
    failed = False
    for number, (name, function) in enumerate(tests, 1):
        try:
            result = function()
        except Exception as error:  # a test that breaks has failed; the others go on
            result = [f'{type(error).__name__}: {error}']
        if isinstance(result, str):
            print(f'ok {number} - {name} # SKIP {result}')
            continue
        print(f'{"not ok" if result else "ok"} {number} - {name}')
        for line in result:
            print(f'# {line}')
        failed = failed or bool(result)
    shutil.rmtree(WORK)
    return failed


if __name__ == '__main__':
    sys.exit(main())
