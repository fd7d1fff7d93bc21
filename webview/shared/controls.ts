/**
 * The form controls of all views. The toolkit is deprecated; this module is the only one that knows
 * it, so that it can be exchanged in one file. Every control has an accessible name.
 */
import { endFocusProbe } from './toolkitFocusProbe';
import type { IconName } from './icons';
import { createIcon } from './icons';
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';

endFocusProbe();

/** Each control is registered by the function that makes it, so that a view bundles only what it uses. */
const registered = new Set<string>();

function register(name: string, definitions: () => Parameters<DesignSystem['register']>): void {
  if (registered.has(name)) return;
  registered.add(name);
  provideVSCodeDesignSystem().register(...definitions());
}

type DesignSystem = ReturnType<typeof provideVSCodeDesignSystem>;

export interface ButtonOptions {
  readonly label: string;
  /** What is shown instead of the label. */
  readonly icon?: IconName;
  /** A shorter text to show, which the label must contain. */
  readonly caption?: string;
  readonly appearance?: 'primary' | 'secondary' | 'icon';
  readonly onPress: () => void;
}

export function createButton(options: ButtonOptions): HTMLElement {
  const { label, icon, caption = label, appearance = 'secondary', onPress } = options;
  register('button', () => [vsCodeButton()]);
  const button = document.createElement('vscode-button');
  button.setAttribute('appearance', appearance);
  button.setAttribute('aria-label', label);
  button.title = label;
  button.append(icon === undefined ? caption : createIcon(icon));
  button.addEventListener('click', () => onPress());
  return button;
}

export interface ChoiceOptions<Value extends string> {
  readonly label: string;
  readonly options: readonly { readonly value: Value; readonly label: string }[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

/** A drop-down list and the means to set it without an event. */
export interface Choice<Value extends string> {
  readonly element: HTMLElement;
  setValue(value: Value): void;
}

export function createChoice<Value extends string>(choice: ChoiceOptions<Value>): Choice<Value> {
  register('dropdown', () => [vsCodeDropdown(), vsCodeOption()]);
  const element = document.createElement('vscode-dropdown');
  element.setAttribute('aria-label', choice.label);
  element.title = choice.label;
  for (const { value, label } of choice.options) {
    const option = document.createElement('vscode-option');
    option.setAttribute('value', value);
    option.textContent = label;
    element.append(option);
  }
  const setValue = (value: Value): void => {
    element.setAttribute('current-value', value);
    Reflect.set(element, 'value', value);
  };
  // Before it is connected the list has no options yet, so its first value is set afterwards.
  queueMicrotask(() => setTimeout(() => setValue(choice.value)));
  element.addEventListener('change', () => {
    const value = String(Reflect.get(element, 'value'));
    const option = choice.options.find((candidate) => candidate.value === value);
    if (option !== undefined) choice.onChange(option.value);
  });
  return { element, setValue };
}

export interface FieldOptions {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

export interface Field {
  readonly element: HTMLElement;
  setValue(value: string): void;
  focus(): void;
}

/** A line of text; `onInput` is called on every keystroke. */
export function createTextField({ label, placeholder, value, onInput }: FieldOptions): Field {
  register('textField', () => [vsCodeTextField()]);
  const element = document.createElement('vscode-text-field');
  // The toolkit writes a label of its own when the field is connected; ours comes after it.
  queueMicrotask(() => setTimeout(() => element.setAttribute('aria-label', label)));
  element.setAttribute('placeholder', placeholder);
  element.setAttribute('value', value);
  element.addEventListener('input', () => onInput(String(Reflect.get(element, 'value'))));
  return {
    element,
    setValue: (next) => void Reflect.set(element, 'value', next),
    focus: () => element.focus(),
  };
}

export interface CheckboxOptions {
  readonly label: string;
  readonly isChecked: boolean;
  readonly onChange: (isChecked: boolean) => void;
}

export interface Checkbox {
  readonly element: HTMLElement;
  setChecked(isChecked: boolean): void;
}

export function createCheckbox({ label, isChecked, onChange }: CheckboxOptions): Checkbox {
  register('checkbox', () => [vsCodeCheckbox()]);
  const element = document.createElement('vscode-checkbox');
  element.textContent = label;
  element.setAttribute('aria-label', label);
  const setChecked = (next: boolean): void => void Reflect.set(element, 'checked', next);
  setChecked(isChecked);
  element.addEventListener('change', () => {
    const next = Reflect.get(element, 'checked') === true;
    if (next !== isChecked) {
      isChecked = next;
      onChange(next);
    }
  });
  return {
    element,
    setChecked: (next) => {
      isChecked = next;
      setChecked(next);
    },
  };
}
